import type { RecipeView } from '../ledger/ledger.ts';
import type { CanonicalRecord } from '../ledger/record.ts';
import type { Digest } from '../oci/digest.ts';
import { parseReference, type Reference, withDigest, withTag } from '../oci/reference.ts';
import { sameContent } from '../oci/same-content.ts';
import { tagOfVersion } from '../oci/tag.ts';
import { Failure } from '../outcome.ts';
import type { ReasonCode } from '../reasons.ts';
import type { ImageContents, Registry } from '../registry/registry.ts';
import type { ImageFacts, Known, LedgerFacts, RecordFacts } from '../rules/gate/snapshot.ts';

/** Failures that mean "no answer". All others mean that something is wrong, and end the step as what they are. */
const noAnswer: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'cannot-determine',
  'registry-denied',
  'registry-unreachable',
  'registry-failed',
  'git-denied',
  'git-unreachable',
  'git-failed',
  'tags-unavailable',
  'ledger-unavailable',
  'ledger-busy',
]);

/** Asks, and remembers who did not answer. */
export async function ask<T>(what: () => Promise<T>): Promise<Known<T>> {
  try {
    return { known: await what() };
  } catch (cause) {
    if (cause instanceof Failure && noAnswer.has(cause.code)) return { unanswered: cause.message };
    throw cause;
  }
}

export type ImageRegistry = Pick<Registry, 'head' | 'contents'>;

/** An own image that is to be published under this version. */
export async function lookAtImage(
  registry: ImageRegistry,
  image: string,
  digest: Digest,
  version: string,
): Promise<{ facts: ImageFacts; contents: Known<ImageContents | undefined> }> {
  const reference = parseReference(image);
  const tag = tagOfVersion(version);
  const contents = await ask(() => registry.contents(withDigest(reference, digest)));
  const destination = await ask(() => lookAtTag(registry, withTag(reference, tag), digest, contents));
  return {
    contents,
    facts: {
      image,
      digest,
      content:
        'unanswered' in contents
          ? contents
          : {
              known: contents.known && {
                platforms: contents.known.platforms.map(({ platform }) => platform),
                labels: contents.known.platforms.map(({ labels }) => labels),
              },
            },
      destination: 'unanswered' in destination ? destination : { known: { tag, ...destination.known } },
    },
  };
}

async function lookAtTag(
  registry: ImageRegistry,
  reference: Reference,
  digest: Digest,
  ours: Known<ImageContents | undefined>,
): Promise<{ readonly current?: Digest; readonly sameContent: boolean }> {
  const current = (await registry.head(reference))?.digest;
  if (current === undefined) return { sameContent: false };
  if (current === digest) return { current, sameContent: true };
  const theirs = await registry.contents(withDigest(reference, current));
  const mine = 'known' in ours ? ours.known : undefined;
  return {
    current,
    sameContent: theirs !== undefined && mine !== undefined && sameContent(theirs.platforms, mine.platforms),
  };
}

/** The ledger's part of the snapshot. `mine`: the nonce of an intent that is ours. */
export function ledgerFacts(view: RecipeView, now: number, mine?: string): LedgerFacts {
  const record = view.record();
  const intent = view.lease(now) === 'live' ? view.intent() : undefined;
  return {
    ...(record === undefined ? {} : { record: recordFacts(record) }),
    sightings: [
      ...view.trail().map((line) => ({
        version: line.record.version,
        commit: line.record.commit,
        seen: line.record.at,
      })),
      ...view.runs().map(({ version, commit, firstSeen, finishedAt, verdict, run, tiers, subject }) => ({
        version,
        commit,
        seen: firstSeen,
        finishedAt,
        verdict,
        run,
        tiers,
        subject: subject.kind === 'compose' ? subject.images : digestByImage(subject.image, subject.digest),
      })),
    ],
    ...(intent === undefined || intent.nonce === mine
      ? {}
      : { underWay: { version: intent.version, run: intent.run, expires: intent.expires } }),
  };
}

function digestByImage(image: string, digest: string | undefined): Record<string, string> {
  return digest === undefined ? {} : { [image]: digest };
}

function recordFacts(record: CanonicalRecord): RecordFacts {
  const { version, commit, sequence, subject, evidence, hold } = record;
  return {
    version,
    commit,
    sequence,
    kind: subject.kind,
    images: subject.kind === 'image' ? { [subject.image]: subject.digest } : byImage(subject.images),
    ...(evidence.repository === undefined ? {} : { repository: evidence.repository }),
    required: evidence.required ?? {},
    hold,
  };
}

/** Digest by image of a compose subject's references. */
function byImage(references: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.values(references).flatMap((reference) => {
      const at = reference.indexOf('@');
      return at < 0 ? [] : [[reference.slice(0, at), reference.slice(at + 1)] as const];
    }),
  );
}
