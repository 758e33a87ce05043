import * as v from 'valibot';
import { type Digest, isDigest } from '../oci/digest.ts';
import { Failure } from '../outcome.ts';
import { parseLedgerJson } from './recipe-files.ts';
import { type CanonicalRecord, ordered, readRecord } from './record.ts';

const digest = v.pipe(
  v.string(),
  v.check(isDigest),
  v.transform((text) => text as Digest),
);

const intentSchema = v.object({
  /** Random; names the run that holds the lock. */
  nonce: v.pipe(v.string(), v.minLength(8), v.maxLength(128)),
  version: v.string(),
  /** What the version will be: the image's digest; of a compose subject the digest of its list of images. */
  digest,
  sequence: v.pipe(v.number(), v.integer(), v.minValue(1)),
  tags: v.array(
    v.object({
      /** Repository of the tag; left out where the recipe has one own image. */
      image: v.optional(v.string()),
      tag: v.string(),
      from: v.nullable(digest),
      to: digest,
    }),
  ),
  run: v.string(),
  /** RFC 3339 UTC; the lease ends then. */
  expires: v.pipe(v.string(), v.isoTimestamp()),
  /** The record that the promotion would write, and what it was decided on: enough for another run to finish it. */
  record: v.optional(v.unknown()),
  evidence: v.optional(v.unknown()),
});

/** What a promotion is about to do; being there, it is the lock of its recipe. */
export type Intent = Omit<v.InferOutput<typeof intentSchema>, 'record'> & {
  readonly record?: CanonicalRecord;
};

/** No lease is longer; a run that is alive renews its own. */
const longestLeaseMs = 10 * 60_000;

/** How far the clocks of two machines may be apart before a lease looks longer than any run takes. */
const clockSkewMs = 10 * 60_000;

export function readIntent(recipe: string, text: string): Intent {
  const place = `${recipe}/intent.json`;
  const parsed = v.safeParse(intentSchema, parseLedgerJson(text, place));
  if (!parsed.success) {
    const at = v.getDotPath(parsed.issues[0]) ?? 'the top';
    throw new Failure('record-corrupt', `${place} is damaged at \`${at}\`.`);
  }
  const { record, ...rest } = parsed.output;
  return record === undefined ? rest : { ...rest, record: readRecord(record, `The record in ${place}`) };
}

export function intentText(intent: Intent): string {
  const { nonce, version, digest: d, sequence, tags, run, expires, record, evidence } = intent;
  return `${JSON.stringify(
    {
      nonce,
      version,
      digest: d,
      sequence,
      tags: tags.map(({ image, tag, from, to }) => ({
        ...(image === undefined ? {} : { image }),
        tag,
        from,
        to,
      })),
      run,
      expires,
      ...(record === undefined ? {} : { record: ordered(record) }),
      ...(evidence === undefined ? {} : { evidence }),
    },
    null,
    2,
  )}\n`;
}

/**
 * Whether the lease still runs at `now` (milliseconds). Judged by its end only, never by a process or a host. One
 * that ends later than any lease can is nobody's: it would lock the recipe for ever, so it is `intent-invalid`.
 */
export function leaseState(intent: Intent, now: number): 'live' | 'expired' {
  const left = Date.parse(intent.expires) - now;
  if (!(left <= longestLeaseMs + clockSkewMs)) {
    throw new Failure(
      'intent-invalid',
      `The promotion of ${JSON.stringify(intent.version)} under way says that it ends ${intent.expires}, which is longer than any takes.`,
    );
  }
  return left > 0 ? 'live' : 'expired';
}
