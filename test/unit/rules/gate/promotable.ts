import { digestOf } from '../../../../src/oci/digest.ts';
import type {
  Evidence,
  GatePolicy,
  ImageFacts,
  Known,
  LedgerFacts,
  RecipeFacts,
  RecordFacts,
  ReleaseFacts,
  Snapshot,
  VerificationFacts,
} from '../../../../src/rules/gate/snapshot.ts';

export const image = 'ghcr.io/acme/app';
export const digest = digestOf('candidate');
export const commit = '1'.repeat(40);
export const tree = 'a'.repeat(40);
export const baseCommit = '2'.repeat(40);
export const otherCommit = '3'.repeat(40);
export const now = Date.parse('2026-03-01T12:00:00Z');
export const provenance = 'https://slsa.dev/provenance/v1';

/** Changes to a snapshot that could be promoted; each section is merged into the good one. */
export interface Changes {
  readonly top?: Partial<Snapshot>;
  readonly policy?: Partial<GatePolicy>;
  readonly candidate?: Partial<Snapshot['candidate']>;
  readonly evidence?: Partial<Evidence> | 'none';
  readonly config?: Partial<RecipeFacts>;
  readonly releases?: Partial<ReleaseFacts> | { readonly tag: undefined } | { readonly base: undefined };
  readonly ledger?: Partial<LedgerFacts>;
  readonly record?: Partial<RecordFacts> | 'none';
  readonly image?: Partial<ImageFacts>;
  readonly verification?: VerificationFacts;
}

export const record: RecordFacts = {
  version: '1.0.0',
  commit: baseCommit,
  sequence: 1,
  kind: 'image',
  images: { [image]: digestOf('base') },
  repository: 'git.example.org/acme/app',
  required: {},
  hold: null,
};

export const labels = {
  'org.opencontainers.image.version': '1.1.0',
  'org.opencontainers.image.revision': commit,
};

/** Every condition has something to look at, and holds. */
export function promotable(changes: Changes = {}): Snapshot {
  const known = <T>(value: T): Known<T> => ({ known: value });
  const evidence: Evidence = {
    recipe: 'app',
    version: '1.1.0',
    commit,
    checkout: commit,
    tree,
    subject: { [image]: digest },
    testedPlatforms: ['linux/amd64'],
    harness: '1.0.0',
    run: 'run-7',
    context: 'release',
    verdict: 'green',
    tiers: [
      { name: 'install', verdict: 'pass' },
      { name: 'upgrade', verdict: 'pass' },
    ],
    cold: true,
    commands: 'contained',
    base: { version: '1.0.0', tag: '1.0.0', commit: baseCommit, reason: 'canonical' },
    effect: true,
    startedAt: '2026-03-01T11:50:00Z',
    finishedAt: '2026-03-01T11:59:00Z',
    ...(changes.evidence === 'none' ? {} : changes.evidence),
  };
  const recordFacts = changes.record === 'none' ? undefined : { ...record, ...changes.record };
  return {
    now,
    run: 'run-7',
    context: 'release',
    policy: {
      signature: true,
      provenance: true,
      allPlatforms: true,
      platforms: ['linux/amd64'],
      minAgeMs: 60_000,
      maxEvidenceAgeMs: 24 * 3600_000,
      accepted: [],
      ...changes.policy,
    },
    recipe: 'app',
    repository: 'git.example.org/acme/app',
    candidate: { version: '1.1.0', commit, checkout: commit, tree, dirty: [], ...changes.candidate },
    config: known({
      enrolled: true,
      enrolledBy: 'knowngood.yml',
      tiers: ['install', 'upgrade'],
      expectedNa: {},
      ...changes.config,
    }),
    releases: known({
      tag: { name: '1.1.0', commit, tree },
      onBranch: true,
      branch: 'main',
      older: 1,
      latest: { version: '1.1.0', tag: '1.1.0', commit },
      base: { version: '1.0.0', tag: '1.0.0', commit: baseCommit },
      ...changes.releases,
    } as ReleaseFacts),
    stated: known([{ place: 'compose.yml:4', version: '1.1.0' }]),
    ledger: known({
      ...(recordFacts === undefined ? {} : { record: recordFacts }),
      sightings: [
        { version: '1.0.0', commit: baseCommit, seen: '2026-01-01T00:00:00Z' },
        {
          version: '1.1.0',
          commit,
          seen: '2026-03-01T11:50:00Z',
          finishedAt: evidence.finishedAt,
          verdict: evidence.verdict,
          run: 'run-7',
          tiers: Object.fromEntries(evidence.tiers.map(({ name, verdict }) => [name, verdict])),
          subject: evidence.subject,
        },
      ],
      ...changes.ledger,
    }),
    ...(changes.evidence === 'none' ? {} : { evidence }),
    kind: 'image',
    images: [
      {
        image,
        digest,
        content: known({ platforms: ['linux/amd64'], labels: [labels] }),
        destination: known({ tag: '1.1.0', sameContent: false }),
        ...changes.image,
      },
    ],
    verification: known(
      changes.verification ?? {
        asked: true,
        signed: [provenance],
        invalid: [],
        contradictions: [],
        strangers: 1,
      },
    ),
    floating: known(true),
    ...changes.top,
  };
}
