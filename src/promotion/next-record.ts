import type { GateRow } from '../dossier/schema.ts';
import type { CanonicalRecord, RecordSubject, Required } from '../ledger/record.ts';
import type { Evidence, GatePolicy } from '../rules/gate/snapshot.ts';
import { compareVersions, parseVersion } from '../rules/version.ts';

export interface NextRecordInput {
  readonly recipe: string;
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
  readonly subject: RecordSubject;
  readonly recipeDigest: string | undefined;
  readonly repository: string;
  readonly before: CanonicalRecord | undefined;
  readonly evidence: Evidence;
  readonly policy: GatePolicy;
  readonly gate: readonly GateRow[];
  readonly by: string;
  /** RFC 3339 UTC. */
  readonly at: string;
}

/** The record that this promotion writes. */
export function nextRecord(input: NextRecordInput): CanonicalRecord {
  const { before, evidence } = input;
  const required = requiredBy(input.policy);
  return {
    schema: 'knowngood/canonical/v1',
    recipe: input.recipe,
    version: input.version,
    tag: input.tag,
    commit: input.commit,
    subject: input.subject,
    recipeDigest: input.recipeDigest ?? null,
    sequence: (before?.sequence ?? 0) + 1,
    previous:
      before === undefined
        ? null
        : { version: before.version, commit: before.commit, sequence: before.sequence },
    kind: 'promote',
    hold: holdAfter(before, input.version),
    evidence: {
      run: evidence.run,
      base: evidence.base?.version ?? null,
      baseReason:
        evidence.base?.reason ?? evidence.tiers.find(({ name }) => name === 'upgrade')?.reason ?? '',
      tiers: Object.fromEntries(evidence.tiers.map(({ name, verdict }) => [name, verdict])),
      finishedAt: evidence.finishedAt,
      harness: evidence.harness,
      repository: input.repository,
      ...(Object.keys(required).length === 0 ? {} : { required }),
    },
    gate: Object.fromEntries(input.gate.map(({ code, verdict }) => [code, verdict])),
    by: input.by,
    at: input.at,
  };
}

function requiredBy(policy: GatePolicy): Required {
  return {
    ...(policy.signature ? { signature: true } : {}),
    ...(policy.provenance ? { provenance: true } : {}),
    ...(policy.allPlatforms ? { allPlatforms: true } : {}),
    ...(policy.platforms.length > 0 ? { platforms: [...policy.platforms].sort() } : {}),
    ...(policy.minAgeMs > 0 ? { minAgeSeconds: Math.floor(policy.minAgeMs / 1000) } : {}),
  };
}

/** A hold ends when something newer than all that it holds is promoted. */
function holdAfter(before: CanonicalRecord | undefined, version: string): CanonicalRecord['hold'] {
  const hold = before?.hold ?? null;
  if (hold === null) return null;
  const mine = parseVersion(version);
  const past = hold.bad.every((bad) => {
    const theirs = parseVersion(bad);
    return mine !== undefined && theirs !== undefined && compareVersions(mine, theirs) > 0;
  });
  return past ? null : hold;
}
