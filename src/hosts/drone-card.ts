import { writeFileSync } from 'node:fs';
import { stepsOf } from '../settings/lines.ts';
import { parseList, type RawSettings } from '../settings/read.ts';
import type { Host, StepReport } from './host.ts';

/** Where the card's template is published; it is drone-plugin/card.json of this repository. */
const CARD_SCHEMA = 'https://raw.githubusercontent.com/knowngood/knowngood/main/drone-plugin/card.json';

/**
 * Drone's adaptive card: an escape sequence on stdout, or a file of its own. A runner joins all sequences of a
 * container before it decodes them, so that two cards are none (runner-go, livelog/extractor): there is one, which the
 * last step writes, and the steps before it are lines of it.
 */
export function cardWriter(
  path: string,
  write: (text: string) => void,
): (report: StepReport, host: Host) => void {
  const earlier: (readonly [label: string, value: string])[] = [];
  let steps = 0;
  return (report, host) => {
    const card = JSON.stringify(
      { schema: CARD_SCHEMA, data: dataOf(report, earlier) },
      // Text by text: a secret that is a word of the card, or a quote, must not break it.
      (_, value: unknown) => (typeof value === 'string' ? host.log.redact(value) : value),
    );
    earlier.push([report.step, ended(report)]);
    steps++;
    if (path !== '/dev/stdout') writeFileSync(path, card);
    else if (isLast(report, steps, host.rawSettings))
      write(`\u001b]1338;${Buffer.from(card).toString('base64')}\u001b]0m\n`);
  };
}

function dataOf(report: StepReport, earlier: readonly (readonly [string, string])[]) {
  const facts = [...earlier, ...report.facts];
  return {
    title: `knowngood ${report.step}`,
    outcome: report.outcome,
    reason: report.reasons[0] ?? '',
    facts: facts.map(([title, value]) => ({ title, value })),
  };
}

const ended = ({ outcome, reasons }: StepReport): string => [outcome, reasons[0]].filter(Boolean).join(' ');

/** Whether no step of this process comes after this one. */
function isLast({ outcome }: StepReport, steps: number, settings: RawSettings): boolean {
  if (outcome === 'refused' || outcome === 'error') return true;
  try {
    return steps >= stepsOf(parseList(settings.get('step')?.value ?? ''), 'step').length;
  } catch {
    // What is no list of steps ends the run before any.
    return true;
  }
}
