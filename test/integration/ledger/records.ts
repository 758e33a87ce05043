import { randomUUID } from 'node:crypto';
import type { Intent } from '../../../src/ledger/intent.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { CanonicalRecord } from '../../../src/ledger/record.ts';
import type { FinishedRun } from '../../../src/ledger/runs.ts';
import { digestOf } from '../../../src/oci/digest.ts';

export const commitOf = (version: string): string => digestOf(version).slice(7, 47);

export function record(
  recipe: string,
  version: string,
  before?: CanonicalRecord,
  more: Partial<CanonicalRecord> = {},
): CanonicalRecord {
  return {
    schema: 'knowngood/canonical/v1',
    recipe,
    version,
    tag: version,
    commit: commitOf(version),
    subject: {
      kind: 'image',
      image: `127.0.0.1:5000/acme/${recipe}`,
      digest: digestOf(`${recipe} ${version}`),
      platforms: { 'linux/amd64': digestOf(`${version} amd64`) },
      tested: ['linux/amd64'],
    },
    recipeDigest: `v1:${digestOf(`recipe ${version}`)}`,
    sequence: (before?.sequence ?? 0) + 1,
    previous: before ? { version: before.version, commit: before.commit, sequence: before.sequence } : null,
    kind: 'promote',
    hold: null,
    evidence: {
      run: 'run-1',
      base: null,
      baseReason: 'first-release',
      tiers: { install: 'pass', upgrade: 'na' },
      finishedAt: '2026-01-02T03:04:05.000Z',
      harness: '1.0.0',
      repository: 'git.example.org/acme/app',
    },
    gate: { 'not-green': 'pass' },
    by: 'someone',
    at: '2026-01-02T03:05:00.000Z',
    ...more,
  };
}

export function intent(
  version: string,
  sequence: number,
  expires: number,
  more: Partial<Intent> = {},
): Intent {
  return {
    nonce: randomUUID(),
    version,
    digest: digestOf(version),
    sequence,
    tags: [{ tag: version, from: null, to: digestOf(version) }],
    run: 'run-1',
    expires: new Date(expires).toISOString(),
    ...more,
  };
}

/** Promotes a version in the ledger alone, as the write protocol does. */
export async function promote(ledger: Ledger, recipe: string, version: string): Promise<CanonicalRecord> {
  const view = await ledger.read(recipe);
  const next = record(recipe, version, view.record());
  const lock = intent(version, next.sequence, Date.now() + 60_000);
  if ((await ledger.takeIntent(recipe, lock, { revision: view.revision })) !== 'taken')
    throw new Error('changed');
  if ((await ledger.commit(recipe, next, { nonce: lock.nonce })) !== 'written') throw new Error('lost');
  return next;
}

export function run(recipe: string, version: string, more: Partial<FinishedRun> = {}): FinishedRun {
  return {
    recipe,
    version,
    commit: commitOf(version),
    subject: { kind: 'image', image: 'x', digest: digestOf(version) },
    verdict: 'green',
    reasons: ['green'],
    tiers: { install: 'pass' },
    base: null,
    run: randomUUID(),
    startedAt: '2026-01-02T03:00:00.000Z',
    finishedAt: '2026-01-02T03:04:05.000Z',
    ...more,
  };
}
