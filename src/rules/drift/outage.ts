import type { Finding } from '../../outcome.ts';
import { isOpenQuestion, type OpenQuestion } from './looked-up.ts';

/** Open questions of one cause that are told by name, and places of one of them. */
const MOST_TOLD = 12;
const MOST_PLACES = 5;

/**
 * One finding for each outage, at the first place that it hides: a registry that is down is one thing, however many
 * questions it leaves open. It stays an error.
 */
export function outagesJoined(findings: readonly Finding[]): readonly Finding[] {
  const outages = new Map<string, OpenQuestion[]>();
  for (const one of findings) {
    if (!isOpenQuestion(one) || one.open.cause === undefined) continue;
    outages.set(one.open.cause, [...(outages.get(one.open.cause) ?? []), one]);
  }
  return findings.flatMap((one): Finding[] => {
    if (!isOpenQuestion(one)) return [one];
    const together = outages.get(one.open.cause ?? '') ?? [one];
    return one === together[0] ? [joined(together)] : [];
  });
}

function joined(together: readonly OpenQuestion[]): Finding {
  const [first] = together as [OpenQuestion];
  const { open, ...alone } = first;
  if (together.length === 1) return alone;
  const places = new Map<string, string[]>();
  for (const { open: asked, at } of together) {
    const known = places.get(asked.what) ?? [];
    if (at !== undefined) known.push([at.file, at.line, at.column].filter(Boolean).join(':'));
    places.set(asked.what, known);
  }
  const all = listed([...places].map(asPhrase), MOST_TOLD);
  const where = open.host === undefined ? '' : ` at ${open.host}`;
  const at = together.find((one) => one.at !== undefined)?.at;
  return {
    ...alone,
    message:
      places.size === 1
        ? `${all} could not be looked up: ${open.unanswered}`
        : `${places.size} things could not be looked up${where}: ${open.unanswered} They are: ${all}.`,
    ...(at === undefined ? {} : { at }),
  };
}

/** `the tags of ghcr.io/acme/app`, `redis:7 (compose.yml:3:12, compose.yml:9:12)`. */
function asPhrase([what, places]: readonly [string, readonly string[]]): string {
  const phrase = what.replace(/^The /, 'the ');
  return places.length === 0 ? phrase : `${phrase} (${listed([...new Set(places)], MOST_PLACES)})`;
}

function listed(texts: readonly string[], most: number): string {
  const more = texts.length - most;
  return more > 0 ? `${texts.slice(0, most).join(', ')} and ${more} more` : texts.join(', ');
}
