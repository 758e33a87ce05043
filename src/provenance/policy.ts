import * as v from 'valibot';
import { parseStrictJson } from '../oci/strict-json.ts';
import { Failure } from '../outcome.ts';
import { fault } from './fault.ts';
import { readPublicKey } from './key.ts';
import { predicateTypes } from './statement.ts';

/**
 * Whom a verifier believes, and what must be said. Every string is compared exactly: a policy that is a pattern
 * or a part of a name proves nothing, and is refused when it is read (`policy-invalid`).
 */
export interface Policy {
  /** Signing keys, each with the one builder that it may speak for. */
  readonly keys: readonly PolicyKey[];
  /** Keyless signers: certificate subject and issuer, each with the one builder that they may speak for. */
  readonly identities: readonly PolicyIdentity[];
  /**
   * Certificate authorities and transparency logs that identities rest on, as Sigstore's `trusted_root.json`.
   * Needed where there are identities.
   */
  readonly trustedRoot?: object;
  /** Page of the source repository: `https://github.com/acme/hedgedoc`, without `.git`. */
  readonly repository: string;
  /** Predicate types of which each must be there, signed by one of the above. */
  readonly predicates: readonly string[];
}

export interface PolicyKey {
  /** base64 of the sha256 of the public key's SPKI, as cosign writes it. */
  readonly keyid: string;
  /** `runDetails.builder.id`, with or without the `@<ref>` that GitHub puts behind it. */
  readonly builder: string;
  /** The public key (PEM). Where it is left out, the key is taken from beside the bundle if it hashes to `keyid`. */
  readonly key?: string;
}

export interface PolicyIdentity {
  /** The certificate's subject alternative name, with or without the `@<ref>` that GitHub puts behind it. */
  readonly san: string;
  readonly issuer: string;
  readonly builder: string;
}

const KEYID = /^[A-Za-z0-9+/]{43}=$/;

/** What makes a text a pattern to somebody: wildcards, groups, anchors, classes, alternatives, escapes. */
const PATTERN_SIGNS = /[*^$|\\()[\]{}<>\s]|\.\+|\.\?/;

const exact = v.pipe(
  v.string(),
  v.check((text) => !PATTERN_SIGNS.test(text), 'is a pattern; only exact strings prove anything'),
);

/** A full address: a bare `owner/name` would be met by a part of many names. */
const address = v.pipe(
  exact,
  v.check((text) => {
    if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
    const { username, search } = new URL(text);
    return username === '' && search === '';
  }, 'is not a full address (`https://…`)'),
);

const repository = v.pipe(
  address,
  v.check(
    (text) => !text.endsWith('.git') && !text.endsWith('/'),
    'is written without `.git` and without a final `/`',
  ),
);

const subjectName = v.union(
  [address, v.pipe(exact, v.regex(/^[^@/:]+@[^@/:]+\.[^@/:]+$/))],
  'is neither a full address nor a mail address',
);

const known: readonly string[] = Object.values(predicateTypes);

const schema = v.strictObject({
  keys: v.optional(
    v.array(
      v.strictObject({
        keyid: v.pipe(v.string(), v.regex(KEYID, 'is not a key id: base64 of the sha256 of the public key')),
        builder: address,
        key: v.optional(v.string()),
      }),
    ),
    [],
  ),
  identities: v.optional(
    v.array(v.strictObject({ san: subjectName, issuer: address, builder: address })),
    [],
  ),
  'trusted-root': v.optional(v.looseObject({})),
  repository,
  predicates: v.pipe(
    v.array(
      v.pipe(
        v.string(),
        v.check((type) => known.includes(type), `is none of ${known.join(', ')}`),
      ),
    ),
    v.minLength(1, 'names no predicate type'),
  ),
});

/**
 * Reads a policy (JSON). Patterns, parts of names, unknown keys and a policy that trusts nobody or asks for nothing
 * are refused: each of them would look like a check and be none.
 *
 * @throws Failure `policy-invalid`
 */
export function readPolicy(text: string): Policy {
  let json: unknown;
  try {
    json = parseStrictJson(Buffer.from(text, 'utf8'), 'The policy');
  } catch (cause) {
    throw new Failure('policy-invalid', 'The policy is not strict JSON.', { cause });
  }
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) {
    throw new Failure('policy-invalid', `In the policy, ${fault(parsed.issues)}.`);
  }
  const { keys, identities, 'trusted-root': trustedRoot, ...rest } = parsed.output;
  if (keys.length === 0 && identities.length === 0) {
    throw new Failure('policy-invalid', 'The policy trusts nobody: it has neither `keys` nor `identities`.');
  }
  if (identities.length > 0 && trustedRoot === undefined) {
    throw new Failure(
      'policy-invalid',
      'The policy has `identities` but no `trusted-root` that they could rest on.',
    );
  }
  for (const { key, keyid } of keys) {
    if (key !== undefined && readPublicKey(key).keyid !== keyid) {
      throw new Failure(
        'policy-invalid',
        `In the policy, \`key\` is not the key that \`keyid\` ${keyid} names.`,
      );
    }
  }
  return {
    keys: keys.map(({ key, ...pair }) => (key === undefined ? pair : { ...pair, key })),
    identities,
    ...rest,
    ...(trustedRoot === undefined ? {} : { trustedRoot }),
  };
}
