import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sandbox } from '../../../sandbox/index.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseReference, repositoryName, withDigest } from '../../../src/oci/reference.ts';
import type { Failure } from '../../../src/outcome.ts';
import { parseBundle } from '../../../src/provenance/bundle.ts';
import type { Policy } from '../../../src/provenance/policy.ts';
import { readPolicy } from '../../../src/provenance/policy.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { predicateTypes, type Statement, statementBytes } from '../../../src/provenance/statement.ts';
import type { Verification } from '../../../src/provenance/verification.ts';
import { verifyImage } from '../../../src/provenance/verify.ts';
import { verifyIdentityBundle } from '../../../src/provenance/verify-identity.ts';
import { step as attestStep } from '../../../src/steps/attest.ts';
import { builder, commit, provenanceOf, putImage, ref, repository } from '../../unit/provenance/scene.ts';
import { imageSection, play } from '../../unit/steps/provenance-step.ts';
import { hastyClock, openRegistry } from './real-registry.ts';
import { type SigstoreDouble, sigstoreDouble } from './sigstore-double.ts';

const issuer = 'https://token.actions.githubusercontent.com';
const workflow = 'https://github.com/acme/hedgedoc/.github/workflows/release.yml';
const claims = { iss: issuer, san: `${workflow}@${ref}`, sha: commit, ref };

type Json = ReturnType<typeof JSON.parse>;
type Path = readonly [string, ...string[]];

/** Every place in a JSON document, the whole ones too. */
function placesIn(value: Json, path: readonly string[] = []): Path[] {
  const own = path.length === 0 ? [] : [path as Path];
  if (typeof value !== 'object' || value === null) return own;
  return [...own, ...Object.keys(value).flatMap((name) => placesIn(value[name], [...path, name]))];
}

function at(json: Json, path: Path): [Json, string] {
  return [path.slice(0, -1).reduce((inner, name) => inner[name], json), path.at(-1)!];
}

/** One bit or digit in the middle is another one. */
function flipped(json: Json, path: Path): Json | undefined {
  const [parent, name] = at(json, path);
  const value = parent[name];
  if (typeof value !== 'string') return undefined;
  const middle = Math.floor(value.length / 2);
  const other = { 0: '1', A: 'B' }[value[middle]!] ?? (/\d/.test(value[middle]!) ? '0' : 'A');
  parent[name] = value.slice(0, middle) + other + value.slice(middle + 1);
  return json;
}

function removed(json: Json, path: Path): Json {
  const [parent, name] = at(json, path);
  if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else delete parent[name];
  return json;
}

/** A second one of a list's. */
function doubled(json: Json, path: Path): Json | undefined {
  const [parent, name] = at(json, path);
  if (!Array.isArray(parent) || parent.length === 0) return undefined;
  const copy = structuredClone(parent[Number(name)]);
  if (copy.inclusionPromise) copy.inclusionPromise.signedEntryTimestamp = 'AAAA';
  parent.push(copy);
  return json;
}

function withKeyid(envelope: Json, keyid: string): Json {
  return { ...envelope, signatures: [{ ...envelope.signatures[0], keyid }] };
}

describe('keyless signatures', () => {
  let sigstore: SigstoreDouble;
  let host: string;
  const registry = openRegistry();
  beforeAll(async () => {
    host = (await sandbox()).registry.host;
    sigstore = await sigstoreDouble();
  });
  afterAll(() => sigstore.stop());

  const identity = { san: claims.san, issuer, builder };
  const policyOf = (more: Partial<typeof identity> = {}): Policy =>
    readPolicy(
      JSON.stringify({
        identities: [{ ...identity, ...more }],
        'trusted-root': sigstore.trustedRoot,
        repository,
        predicates: [predicateTypes.provenance],
      }),
    );

  async function signedImage(
    name: string,
    by: Readonly<Record<string, string>> = claims,
    change: (text: string) => string = (text) => text,
  ) {
    const image = parseReference(`${host}/keyless/${name}`);
    const { digest, platforms } = await putImage(registry, image, { salt: name });
    const statement: Statement = provenanceOf(image, platforms);
    const signed = await sigstore.sign(statementBytes(statement), by);
    const bytes = Buffer.from(change(Buffer.from(signed).toString()));
    const bundles = [{ bytes, predicateType: statement.predicateType }];
    await attach({ registry, image, subject: digest, bundles, clock: hastyClock });
    return (policy: Policy, refs?: string[], pipelineRefs: string[] = []): Promise<Verification> =>
      verifyImage({
        registry,
        image: withDigest(image, digest),
        policy,
        expected: refs === undefined ? {} : { refs, pipelineRefs },
      });
  }

  it('verify by certificate, log and exact identity', async () => {
    const verify = await signedImage('good');
    const answer = await verify(policyOf());
    expect(answer.findings).toEqual([]);
    expect(answer).toMatchObject({ answer: 'verified', statements: [{ signer: claims.san, builder }] });
  });

  it('may name the workflow without its ref, where the ref is expected', async () => {
    const verify = await signedImage('ref');
    const policy = policyOf({ san: workflow });
    expect((await verify(policy, [ref])).answer).toBe('verified');
    // Its certificate is a pipeline's of that branch; what it signed must be of the tag all the same.
    const branch = await signedImage('branch', { ...claims, san: `${workflow}@refs/heads/main` });
    expect((await branch(policy, [ref], ['refs/heads/main'])).answer).toBe('verified');
    expect(await branch(policy, [ref])).toMatchObject({ answer: 'missing', strangers: 1 });
    expect(await verify(policy)).toMatchObject({ answer: 'missing', strangers: 1 });
    expect(await verify(policy, ['refs/tags/9'])).toMatchObject({ answer: 'missing', strangers: 1 });
  });

  it.each([
    ['a longer name that ours is a part of', { ...claims, san: `${workflow}@${ref}-evil` }],
    ['a name that ends like ours', { ...claims, san: `https://evil.example/?${workflow}@${ref}` }],
    [
      'a name that a pattern of ours would match',
      { ...claims, san: `${workflow.replace('github.com', 'githubXcom')}@${ref}` },
    ],
    ['another issuer', { ...claims, iss: 'https://gitlab.example' }],
  ])('by %s are strangers', async (name, by) => {
    const verify = await signedImage(`stranger-${name.length}`, by);
    expect(await verify(policyOf())).toMatchObject({ answer: 'missing', strangers: 1 });
  });

  it('whose certificate is of another commit contradict the statement', async () => {
    const verify = await signedImage('commit', { ...claims, sha: 'f'.repeat(40) });
    const answer = await verify(policyOf());
    expect(answer.answer).toBe('bad');
    expect(answer.findings[0]).toMatchObject({ code: 'provenance-mismatch', found: 'f'.repeat(40) });
  });

  it('are found wherever they were changed, and named by what does not hold', async () => {
    const statement = provenanceOf(parseReference(`${host}/keyless/x`), [digestOf('x')]);
    const json = JSON.parse(Buffer.from(await sigstore.sign(statementBytes(statement), claims)).toString());
    const told = (changed: object): string => {
      try {
        const verdict = verifyIdentityBundle(
          parseBundle(Buffer.from(JSON.stringify(changed))),
          policyOf(),
          [],
        );
        return verdict.kind === 'damaged' ? verdict.what : verdict.kind;
      } catch (error) {
        return (error as Failure).code;
      }
    };
    expect(told(json)).toBe('signed');
    const unnoticed = placesIn(json).flatMap((path) =>
      [flipped, removed, doubled].flatMap((change) => {
        const changed = change(structuredClone(json), path);
        const verdict = changed === undefined ? '' : told(changed);
        return verdict === 'signed' || verdict === 'stranger'
          ? [`${change.name} ${path.join('.')}: ${verdict}`]
          : [];
      }),
    );
    expect(unnoticed).toEqual([
      // Empty, which is the same as absent.
      'removed verificationMaterial.timestampVerificationData: signed',
    ]);
    expect(told({ ...json, dsseEnvelope: withKeyid(json.dsseEnvelope, 'x') })).toContain('key id');
    expect(told({ ...json, dsseEnvelope: withKeyid(json.dsseEnvelope, '') })).toBe('signed');
    expect(told(removed(structuredClone(json), ['verificationMaterial', 'tlogEntries']))).toMatch(
      /^TIMESTAMP_ERROR: expected 1 /,
    );
    const text = await sigstore.sign(statementBytes(statement), claims, 'text/plain');
    expect(told(JSON.parse(Buffer.from(text).toString()))).toContain('something else than a statement');
    const other = { ...claims, san: `${workflow}@refs/heads/other` };
    const theirs = JSON.parse(Buffer.from(await sigstore.sign(statementBytes(statement), other)).toString());
    // Damaged, and of nobody whom the policy knows: a stranger's, which cannot veto.
    expect(told(removed(theirs, ['verificationMaterial', 'tlogEntries']))).toBe('stranger');
    const junk = {
      ...policyOf(),
      trustedRoot: {
        tlogs: [{}],
        certificateAuthorities: [{ certChain: { certificates: [{ rawBytes: 'AAAA' }] } }],
      },
    };
    expect(() => verifyIdentityBundle(parseBundle(Buffer.from(JSON.stringify(json))), junk, [])).toThrow(
      expect.objectContaining({ code: 'policy-invalid' }),
    );
    const rootless = { identities: policyOf().identities };
    const bundle = parseBundle(Buffer.from(JSON.stringify(json)));
    expect(verifyIdentityBundle(bundle, rootless, []).kind).toBe('stranger');
  });

  it('are damaged, not absent and not strange, in the registry too', async () => {
    const changes: ((json: ReturnType<typeof JSON.parse>) => void)[] = [
      (json) => {
        const text = Buffer.from(json.dsseEnvelope.payload, 'base64').toString();
        json.dsseEnvelope.payload = Buffer.from(text.replace(commit, 'f'.repeat(40))).toString('base64');
      },
      (json) => {
        json.verificationMaterial.tlogEntries = [];
      },
      (json) => {
        json.verificationMaterial.tlogEntries[0].inclusionProof.treeSize = '2';
      },
    ];
    for (const [i, change] of changes.entries()) {
      const verify = await signedImage(`damaged-${i}`, claims, (text) => {
        const json = JSON.parse(text);
        change(json);
        return JSON.stringify(json);
      });
      const answer = await verify(policyOf());
      expect(answer.answer, `change ${i}`).toBe('bad');
      expect(answer.findings[0], `change ${i}`).toMatchObject({
        code: 'signature-invalid',
        level: 'warning',
      });
    }
  });

  it('by an authority that the policy does not trust prove nothing', async () => {
    const verify = await signedImage('authority');
    const other = await sigstoreDouble();
    const policy = { ...policyOf(), trustedRoot: other.trustedRoot };
    await other.stop();
    expect((await verify(policy)).answer).toBe('bad');
  });
});

describe("GitHub's own action with our outputs", () => {
  it('signs what attest wrote, and it verifies', async () => {
    const { host } = (await sandbox()).registry;
    const registry = openRegistry();
    const sigstore = await sigstoreDouble();
    const image = parseReference(`${host}/keyless/by-action`);
    const { digest } = await putImage(registry, image);
    const facts = {
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'acme/hedgedoc',
      GITHUB_REF: ref,
      GITHUB_SHA: commit,
      GITHUB_EVENT_NAME: 'push',
      GITHUB_WORKFLOW_REF: `acme/hedgedoc/.github/workflows/release.yml@${ref}`,
      GITHUB_RUN_ID: '77',
    };
    const section = imageSection(digest, { image: repositoryName(image) });
    const { input, file } = play({
      registry,
      image: section,
      host: 'github',
      facts,
      webUrl: 'https://github.com/acme/hedgedoc',
    });
    if (attestStep.about !== 'candidate') throw new Error('another kind of step');
    expect(await attestStep.run(input)).toMatchObject({ outcome: 'done', reasons: ['unsigned'] });

    // What actions/attest does with subject-name, subject-digest, predicate-type and predicate-path.
    const subject = [{ name: repositoryName(image), digest: { sha256: digest.slice('sha256:'.length) } }];
    const bundles = [];
    for (const [predicateType, path] of [
      [predicateTypes.provenance, 'knowngood-out/hedgedoc/provenance.predicate.json'],
      [predicateTypes.recipe, 'knowngood-out/hedgedoc/recipe.predicate.json'],
    ] as const) {
      const statement = {
        _type: 'https://in-toto.io/Statement/v1',
        subject,
        predicateType,
        predicate: JSON.parse(file(path)),
      };
      bundles.push({
        bytes: await sigstore.sign(Buffer.from(JSON.stringify(statement)), claims),
        predicateType,
      });
    }
    await attach({ registry, image, subject: digest, bundles, clock: hastyClock });
    const policy = readPolicy(
      JSON.stringify({
        identities: [{ san: workflow, issuer, builder: workflow }],
        'trusted-root': sigstore.trustedRoot,
        repository: 'https://github.com/acme/hedgedoc',
        predicates: [predicateTypes.provenance, predicateTypes.recipe],
      }),
    );
    const answer = await verifyImage({
      registry,
      image: withDigest(image, digest),
      policy,
      expected: { refs: [ref], commit },
    });
    await sigstore.stop();
    expect(answer.findings).toEqual([]);
    expect(answer.answer).toBe('verified');
  });
});
