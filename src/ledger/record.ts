import * as v from 'valibot';
import { type Digest, isDigest } from '../oci/digest.ts';
import { Failure } from '../outcome.ts';
import { holdSchema } from './hold.ts';

const digest = v.pipe(
  v.string(),
  v.check(isDigest),
  v.transform((text) => text as Digest),
);
const commit = v.pipe(v.string(), v.regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/));
const sequence = v.pipe(v.number(), v.integer(), v.minValue(1));

const subject = v.variant('kind', [
  v.object({
    kind: v.literal('image'),
    image: v.string(),
    digest,
    platforms: v.optional(v.record(v.string(), digest), {}),
    tested: v.optional(v.array(v.string()), []),
  }),
  v.object({ kind: v.literal('compose'), images: v.record(v.string(), v.string()) }),
]);

/** What the promotion asked for beyond the five; kept so that the next one cannot quietly ask for less. */
const required = v.object({
  signature: v.optional(v.boolean()),
  provenance: v.optional(v.boolean()),
  allPlatforms: v.optional(v.boolean()),
  platforms: v.optional(v.array(v.string())),
  minAgeSeconds: v.optional(v.number()),
});

const evidence = v.object({
  run: v.string(),
  base: v.nullable(v.string()),
  baseReason: v.string(),
  tiers: v.record(v.string(), v.string()),
  finishedAt: v.string(),
  harness: v.string(),
  /** Identity of the repository that the tags were read from; the first promotion binds the name to it. */
  repository: v.optional(v.string()),
  required: v.optional(required),
});

const body = {
  recipe: v.string(),
  version: v.string(),
  tag: v.string(),
  commit,
  subject,
  recipeDigest: v.nullable(v.string()),
  sequence,
  previous: v.nullable(v.object({ version: v.string(), commit, sequence })),
  kind: v.picklist(['promote', 'rollback', 'hold']),
  /** Given by the person who rolled back or held. */
  why: v.optional(v.string()),
  hold: v.nullable(holdSchema),
  evidence,
  gate: v.record(v.string(), v.string()),
  by: v.string(),
  at: v.string(),
};

const recordV1 = v.object({ schema: v.literal('knowngood/canonical/v1'), ...body });

// Records from before v1 lack what was added for it. What they do have means the same.
const recordV0 = v.object({
  ...body,
  schema: v.literal('knowngood/canonical/v0'),
  recipeDigest: v.optional(v.nullable(v.string()), null),
  previous: v.optional(body.previous, null),
  kind: v.optional(body.kind, 'promote'),
  hold: v.optional(body.hold, null),
  evidence: v.optional(
    v.object({
      ...evidence.entries,
      run: v.optional(v.string(), ''),
      base: v.optional(v.nullable(v.string()), null),
      baseReason: v.optional(v.string(), ''),
      tiers: v.optional(v.record(v.string(), v.string()), {}),
      finishedAt: v.optional(v.string(), ''),
      harness: v.optional(v.string(), ''),
    }),
    {},
  ),
  gate: v.optional(body.gate, {}),
  by: v.optional(v.string(), ''),
  at: v.optional(v.string(), ''),
});

/**
 * A canonical record: the release of a recipe that is known to be good. Format `knowngood/canonical/v1`; times are
 * RFC 3339 UTC, commits 40 (or 64) hex, `recipeDigest` is `v1:sha256:…` or null where a base had no digest.
 */
export type CanonicalRecord = v.InferOutput<typeof recordV1>;
export type RecordSubject = CanonicalRecord['subject'];
export type RecordEvidence = CanonicalRecord['evidence'];
export type Required = v.InferOutput<typeof required>;

/**
 * The record in this JSON value. Fails with `record-too-new` for a later schema than v1 and with `record-corrupt`
 * where it is no record; an older one is read as v1.
 */
export function readRecord(value: unknown, place: string): CanonicalRecord {
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  const version =
    typeof schema === 'string' ? /^knowngood\/canonical\/v(\d{1,9})$/.exec(schema)?.[1] : undefined;
  if (version === undefined) throw new Failure('record-corrupt', `${place} is no canonical record.`);
  if (Number(version) > 1) throw new Failure('record-too-new', `${place} has the schema ${schema}.`);
  const parsed = v.safeParse(Number(version) === 1 ? recordV1 : recordV0, value);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw new Failure('record-corrupt', `${place} is damaged at \`${v.getDotPath(issue) ?? 'the top'}\`.`);
  }
  return { ...parsed.output, schema: 'knowngood/canonical/v1' };
}

/** The record with its keys in the order of the contract: one record has one text. */
export function ordered(record: CanonicalRecord): CanonicalRecord {
  const { subject: s, previous, hold, evidence: e } = record;
  return {
    schema: record.schema,
    recipe: record.recipe,
    version: record.version,
    tag: record.tag,
    commit: record.commit,
    subject:
      s.kind === 'image'
        ? {
            kind: s.kind,
            image: s.image,
            digest: s.digest,
            platforms: sorted(s.platforms),
            tested: [...s.tested].sort(),
          }
        : { kind: s.kind, images: sorted(s.images) },
    recipeDigest: record.recipeDigest,
    sequence: record.sequence,
    previous: previous && { version: previous.version, commit: previous.commit, sequence: previous.sequence },
    kind: record.kind,
    ...(record.why === undefined ? {} : { why: record.why }),
    hold: hold && { bad: hold.bad, until: hold.until, reason: hold.reason, by: hold.by, at: hold.at },
    evidence: {
      run: e.run,
      base: e.base,
      baseReason: e.baseReason,
      tiers: e.tiers,
      finishedAt: e.finishedAt,
      harness: e.harness,
      ...(e.repository === undefined ? {} : { repository: e.repository }),
      ...(e.required === undefined || Object.keys(e.required).length === 0 ? {} : { required: e.required }),
    },
    gate: record.gate,
    by: record.by,
    at: record.at,
  };
}

function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The text of `canonical.json`: two spaces, keys in the contract's order, final newline. */
export function recordText(record: CanonicalRecord): string {
  return `${JSON.stringify(ordered(record), null, 2)}\n`;
}
