import * as v from 'valibot';
import type { Evidence, Snapshot } from '../rules/gate/snapshot.ts';

/** What a promotion was decided on and no other run could look up again: it goes into the intent. */
export interface JudgedOn {
  readonly candidate: Snapshot['candidate'];
  readonly evidence: Evidence;
  readonly stated: readonly { readonly place: string; readonly version: string }[];
}

const text = v.string();
const named = { version: text, tag: text, commit: text };

const evidenceSchema = v.object({
  recipe: text,
  version: text,
  commit: text,
  checkout: v.exactOptional(text),
  tree: v.exactOptional(text),
  subject: v.record(text, text),
  testedPlatforms: v.array(text),
  harness: text,
  run: text,
  context: v.picklist(['release', 'change']),
  verdict: v.picklist(['green', 'red', 'inconclusive']),
  tiers: v.array(
    v.object({
      name: text,
      verdict: v.picklist(['pass', 'fail', 'na', 'inconclusive']),
      reason: v.exactOptional(text),
    }),
  ),
  cold: v.boolean(),
  commands: v.picklist(['contained', 'release-branch-host', 'untrusted-host']),
  base: v.exactOptional(v.object({ ...named, reason: text })),
  effect: v.exactOptional(v.boolean()),
  startedAt: text,
  finishedAt: text,
});

const schema = v.object({
  candidate: v.object({ version: text, commit: text, checkout: text, tree: text, dirty: v.array(text) }),
  evidence: evidenceSchema,
  stated: v.array(v.object({ place: text, version: text })),
});

/** The part of an intent that says what it was decided on; `undefined` where it says nothing that we can read. */
export function readJudgedOn(value: unknown): JudgedOn | undefined {
  const parsed = v.safeParse(schema, value);
  return parsed.success ? parsed.output : undefined;
}

/** Evidence as a dossier has it, which anybody may have written; `undefined` where it has not that form. */
export function readEvidence(value: unknown): Evidence | undefined {
  const parsed = v.safeParse(evidenceSchema, value);
  return parsed.success ? parsed.output : undefined;
}
