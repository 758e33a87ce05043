import { parseReference } from '../../oci/reference.ts';
import { Failure, type Finding, finding } from '../../outcome.ts';
import { readBaseline } from '../../rules/drift/baseline.ts';
import { type CanonicalFacts, checkCanonical, type Published } from '../../rules/drift/canonical.ts';
import { latestStable } from '../../rules/releases.ts';
import { lintRules } from '../step-back/lint.ts';
import { baseQuestion } from '../step-back/question.ts';
import { sameImage } from './look.ts';
import { type Checking, imageTags } from './project.ts';

/** Promoted releases whose tags are looked at, the newest; older ones are nobody's upgrade base any more. */
const MOST_PROMOTED = 50;

/** The ledger against git and registry; what is under way, held or waiting; and the lint of knowngood.yml. */
export async function canonical(checking: Checking): Promise<Finding[]> {
  const { project, now, look } = checking;
  const { record, tags, view, releases } = project;
  // A damaged record is told already; without it nothing is known of what was promoted.
  if (project.findings.length > 0) return [];
  const newest = latestStable(releases);
  const findings: Finding[] = [];
  const runs = readable(() => view?.runs(), findings) ?? [];
  const seen = readBaseline(readable(() => view?.baseline(), findings)).releases;
  const facts: CanonicalFacts = {
    ...(record === undefined
      ? {}
      : { record: { version: record.version, tag: record.tag, commit: record.commit, hold: record.hold } }),
    tagCommit: { known: tags.find(({ name }) => name === record?.tag)?.commit },
    published: await published(checking),
    ...(newest === undefined
      ? {}
      : {
          newest: {
            version: newest.version.raw,
            tag: newest.tag,
            tried: runs.some(({ commit }) => commit === newest.commit),
            ...(Object.hasOwn(seen, newest.tag) ? { firstSeen: seen[newest.tag]! } : {}),
          },
        }),
    ...unfinished(checking, findings),
    now: now().getTime(),
  };
  const lint = await look.ask(() => linted(checking));
  return [...findings, ...checkCanonical(facts), ...('known' in lint ? lint.known : [])];
}

/** What a part of the ledger says; where it is damaged, that is the finding. */
function readable<T>(read: () => T, findings: Finding[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    findings.push(finding(error.code, 'error', error.message, { remedy: error.remedy }));
    return undefined;
  }
}

function unfinished({ project, now }: Checking, findings: Finding[]): Pick<CanonicalFacts, 'unfinished'> {
  const { view } = project;
  const expired = readable(() => view?.lease(now().getTime()) === 'expired', findings);
  const intent = expired ? view?.intent() : undefined;
  return intent === undefined ? {} : { unfinished: { version: intent.version, run: intent.run } };
}

/** What the version tags of everything that was promoted hold now. */
async function published({ project, tools, look }: Checking): Promise<readonly Published[]> {
  const { ledger, record, image } = project;
  if (ledger === undefined || record === undefined || image === undefined) return [];
  const promoted = await look.ask(() => ledger.promoted(image));
  if ('unanswered' in promoted) {
    const { version } = record;
    const { subject } = record;
    return subject.kind === 'image' ? [{ version, image, expected: subject.digest, found: promoted }] : [];
  }
  const registry = await tools.registry();
  // A version that was promoted twice has the content of the last time.
  const last = new Map(promoted.known.map((release) => [release.version, release]));
  const newest = [...last.values()].reverse().slice(0, MOST_PROMOTED);
  newest.sort((a, b) => Number(b.canonical) - Number(a.canonical));
  return look.each(newest, async ({ version, digest }): Promise<Published> => {
    const found = await look.ask(async () => {
      for (const tag of imageTags(version)) {
        const reference = { ...parseReference(image), tag };
        const now = await registry.resolve(reference);
        if (now === undefined) continue;
        return { digest: now.digest, same: await sameImage(registry, reference, digest, now.digest) };
      }
      return undefined;
    });
    return { version, image, expected: digest, found };
  });
}

/** Entries of knowngood.yml that do nothing, or that step-back would refuse. */
async function linted({ settings, tools, log, now, project }: Checking): Promise<readonly Finding[]> {
  const asking = { settings, tools, log, now };
  const { asked } = await baseQuestion(asking, await tools.candidate(), 'change');
  return lintRules(project.file, asked);
}
