import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { formatReference, parseReference, withDigest, withTag } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import type { Policy } from '../../../src/provenance/policy.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { predicateTypes, type Statement } from '../../../src/provenance/statement.ts';
import type { Expected, Verification } from '../../../src/provenance/verification.ts';
import { verifyImage } from '../../../src/provenance/verify.ts';
import { MemoryRegistry } from './memory-registry.ts';
import {
  attested,
  builder,
  changed,
  commit,
  labels,
  newKey,
  policyOf,
  provenanceOf,
  putImage,
  recipe,
  recipeOf,
  ref,
  signedBundle,
  version,
  virtualClock,
} from './scene.ts';

const image = parseReference('registry.example:5000/acme/hedgedoc');
const { key } = newKey();
const _stranger = newKey().key;
const policy = policyOf(key);
const clock = virtualClock();

const look = (
  registry: MemoryRegistry,
  digest: Digest,
  more: { policy?: Policy; expected?: Expected } = {},
) => verifyImage({ registry, image: withDigest(image, digest), policy, ...more });

const codes = (answer: Verification, level = 'error'): string[] =>
  answer.findings.filter((item) => item.level === level).map((item) => item.code);

describe('an image as it was attested', () => {
  it.each(['ed25519', 'ec'] as const)('verifies, signed with %s', async (type) => {
    const registry = new MemoryRegistry();
    const own = newKey(type);
    const { digest, referrers } = await attested(registry, image, own.key);
    const expected = { commit, refs: [ref], version, recipe };
    const answer = await look(registry, digest, { policy: policyOf(own.key), expected });
    expect(answer).toMatchObject({ answer: 'verified', digest, strangers: 0, findings: [] });
    expect(answer.statements.map((item) => item.attestation).sort()).toEqual([...referrers].sort());
    expect(answer.statements.map((item) => [item.predicateType, item.builder, item.recipe]).sort()).toEqual([
      [predicateTypes.recipe, builder, recipe],
      [predicateTypes.provenance, builder, recipe],
    ]);
  });

  it('verifies by tag, and looks the tag up once', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    registry.tagged.set('3', digest);
    let asked = 0;
    registry.before = (_call, reference) => {
      if (reference.tag === '3') asked++;
    };
    expect(await verifyImage({ registry, image: withTag(image, '3'), policy })).toMatchObject({
      answer: 'verified',
      digest,
    });
    expect(asked).toBe(1);
  });

  it('verifies with the public key in the policy alone', async () => {
    const registry = new MemoryRegistry();
    const own = newKey();
    const { digest, platforms } = await putImage(registry, image);
    const bundles = [provenanceOf(image, platforms), recipeOf(image, platforms)]
      .map((statement) => signedBundle(statement, own.key))
      .map(({ bytes, predicateType }) => ({ bytes, predicateType }));
    await attach({ registry, image, subject: digest, bundles, clock });
    expect(await look(registry, digest, { policy: policyOf(own.key) })).toMatchObject({ answer: 'bad' });
    const keys = [{ keyid: own.key.publicKey.keyid, builder, key: own.publicPem }];
    expect(await look(registry, digest, { policy: policyOf(own.key, { keys }) })).toMatchObject({
      answer: 'verified',
    });
  });

  it('verifies at the index and at each platform', async () => {
    const registry = new MemoryRegistry();
    const { digest, platforms } = await putImage(registry, image, { platforms: ['amd64', 'arm64'] });
    const about = [digest, ...platforms];
    const bundles = [provenanceOf(image, about), recipeOf(image, about)].map((it) => signedBundle(it, key));
    for (const subject of about) await attach({ registry, image, subject, bundles, clock });
    for (const subject of about) expect(await look(registry, subject)).toMatchObject({ answer: 'verified' });
  });

  it('believes a key about its own builder, not about that of another key', async () => {
    const registry = new MemoryRegistry();
    const [release, change] = [newKey().key, newKey().key];
    const { digest } = await attested(registry, image, change);
    const pair = (one: typeof key, name: string) => ({ keyid: one.publicKey.keyid, builder: name });
    const keys = [pair(release, builder), pair(change, 'https://drone.example.org/#change')];
    const answer = await look(registry, digest, { policy: policyOf(release, { keys }) });
    expect(answer.answer).toBe('bad');
    expect(answer.findings).toMatchObject(
      [1, 2].map(() => ({
        code: 'provenance-mismatch',
        found: builder,
        expected: 'https://drone.example.org/#change',
      })),
    );
    const both = [...keys, pair(change, builder)];
    expect(await look(registry, digest, { policy: policyOf(release, { keys: both }) })).toMatchObject({
      answer: 'verified',
    });
  });

  it('survives the rotation of keys: old and new are both in the policy', async () => {
    const registry = new MemoryRegistry();
    const next = newKey().key;
    const { digest } = await attested(registry, image, key);
    const keys = [next, key].map((one) => ({ keyid: one.publicKey.keyid, builder }));
    expect(await look(registry, digest, { policy: policyOf(next, { keys }) })).toMatchObject({
      answer: 'verified',
    });
    expect(await look(registry, digest, { policy: policyOf(next) })).toMatchObject({
      answer: 'missing',
      strangers: 2,
    });
  });
});

describe('three answers', () => {
  it('missing: no attestation', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await putImage(registry, image);
    const answer = await look(registry, digest);
    expect(answer.answer).toBe('missing');
    expect(answer.findings.map(({ code, message }) => `${code}: ${message}`)).toEqual(
      policy.predicates.map(
        (type) => `attestation-missing: No valid statement of type ${type} by a signer of the policy.`,
      ),
    );
  });

  it('missing: no image', async () => {
    const answer = await look(new MemoryRegistry(), `sha256:${'0'.repeat(64)}`);
    expect(answer.answer).toBe('missing');
    expect(codes(answer)).toEqual(['source-missing']);
  });

  it('missing: no such tag', async () => {
    const registry = new MemoryRegistry();
    await attested(registry, image, key);
    const answer = await verifyImage({ registry, image: withTag(image, '9'), policy });
    expect(answer).toMatchObject({ answer: 'missing', statements: [], strangers: 0 });
    expect(answer.findings).toMatchObject([
      { code: 'source-missing', message: `${formatReference(withTag(image, '9'))} is not in the registry.` },
    ]);
    expect(answer).not.toHaveProperty('digest');
  });

  it('missing: listed, and gone since', async () => {
    const registry = new MemoryRegistry();
    const { digest, referrers } = await attested(registry, image, key);
    for (const referrer of referrers) registry.manifests.delete(referrer);
    const answer = await look(registry, digest);
    expect(answer.answer).toBe('missing');
    expect(codes(answer, 'warning')).toEqual(['attestation-missing', 'attestation-missing']);
  });

  it.each(['head', 'contents', 'referrers', 'manifest', 'blob'])(
    'unreachable: %s is not answered, whatever else is there',
    async (failing) => {
      const registry = new MemoryRegistry();
      const { digest } = await attested(registry, image, key);
      registry.before = (call) => {
        if (call === failing) throw new Failure('registry-unreachable');
      };
      const answer = await look(registry, digest);
      expect(answer).toMatchObject({
        answer: 'unreachable',
        failure: { code: 'registry-unreachable' },
        digest,
        statements: [],
        strangers: 0,
        findings: [],
      });
    },
  );

  it('none: a fault of our own, or of the policy, is no answer about the image', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    const keys = policy.keys.map((entry) => ({ ...entry, key: 'junk' }));
    const asked = look(registry, digest, { policy: policyOf(key, { keys }) });
    await expect(asked).rejects.toMatchObject({ code: 'policy-invalid' });
    registry.before = () => {
      throw new TypeError('a fault');
    };
    await expect(look(registry, digest)).rejects.toThrow(TypeError);
  });

  it('unreachable: a denied look-up is no absence', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    registry.before = (call) => {
      if (call === 'referrers') throw new Failure('registry-denied');
    };
    expect(await look(registry, digest)).toMatchObject({
      answer: 'unreachable',
      failure: { code: 'registry-denied' },
    });
  });

  it('bad: bytes that are not those of their digest', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    const raw = registry.manifests.get(digest)!;
    registry.manifests.set(digest, { ...raw, bytes: Buffer.from(`${Buffer.from(raw.bytes)} `) });
    const answer = await look(registry, digest);
    expect(answer).toMatchObject({ answer: 'bad', digest, statements: [], strangers: 0 });
    expect(codes(answer)).toEqual(['manifest-invalid']);
  });
});

describe('what the caller expects', () => {
  const verdict = async (expected: Expected, more: { policy?: Policy } = {}): Promise<string> => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    return (await look(registry, digest, { expected, ...more })).answer;
  };

  it.each([
    ['the commit', { commit: 'f'.repeat(40) }, 'bad'],
    ['the ref', { refs: ['refs/tags/3.0.1'] }, 'bad'],
    ['one of several refs', { refs: ['refs/tags/3.0.1', ref] }, 'verified'],
    ['the version', { version: '3.0.1' }, 'bad'],
    ['the recipe', { recipe: `v1:sha256:${'1'.repeat(64)}` }, 'bad'],
    ['nothing', {}, 'verified'],
  ])('%s', async (_name, expected, answer) => {
    expect(await verdict(expected)).toBe(answer);
  });

  describe('of the recipe in a checkout', () => {
    const asked = async (options: Parameters<typeof putImage>[2], answer?: { agrees: true }) => {
      const registry = new MemoryRegistry();
      const { digest, platforms } = await putImage(registry, image, options);
      const silent = changed('predicate.runDetails.byproducts', []);
      const bundles = [signedBundle(silent(provenanceOf(image, [digest, ...platforms])), key)];
      await attach({ registry, image, subject: digest, bundles, clock });
      const calls: object[] = [];
      const recompute = async (published: object) => {
        calls.push(published);
        return answer;
      };
      const only = policyOf(key, { predicates: [predicateTypes.provenance] });
      const at = withDigest(image, digest);
      return { ...(await verifyImage({ registry, image: at, policy: only, recompute })), calls };
    };

    it('nothing, where there is no checkout to compare with', async () => {
      expect(await asked({})).toMatchObject({ answer: 'verified', findings: [] });
    });

    it('with the platform where the image is of one only', async () => {
      expect((await asked({}, { agrees: true })).calls).toMatchObject([{ platform: 'linux/amd64' }]);
      const { answer, calls } = await asked({ platforms: ['amd64', 'arm64'] }, { agrees: true });
      expect(answer).toBe('verified');
      expect(calls).toHaveLength(1);
      expect(calls[0]).not.toHaveProperty('platform');
    });

    it('nothing, where the image names none', async () => {
      const { answer, calls, findings } = await asked({ labels: {} });
      expect([answer, calls]).toEqual(['verified', []]);
      expect(findings).toMatchObject([{ code: 'recipe-local', level: 'info' }]);
    });

    it('one: platforms that name different recipes contradict each other', async () => {
      const other = {
        ...labels,
        'dev.knowngood.inputs': '{}',
        'dev.knowngood.recipe': `v1:${digestOf('{}')}`,
      };
      const labelsOf = (architecture: string) => (architecture === 'amd64' ? labels : other);
      const { answer, calls, findings } = await asked({ platforms: ['amd64', 'arm64'], labelsOf });
      expect([answer, calls]).toEqual(['bad', []]);
      expect(findings.map(({ message }) => message)).toContain(
        'The platforms of the image name different recipes.',
      );
    });
  });

  it('a recipe that cannot be read was answered, and wrongly', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    const recompute = () => Promise.reject(new Failure('recipe-invalid'));
    const result = await verifyImage({ registry, image: withDigest(image, digest), policy, recompute });
    expect(result.answer).toBe('bad');
    expect(codes(result)).toEqual(['recipe-invalid']);
  });

  it('a recipe must be signed, not only not contradicted', async () => {
    const registry = new MemoryRegistry();
    const { digest, platforms } = await putImage(registry, image);
    const silent = changed('predicate.runDetails.byproducts', []);
    const bundles = [signedBundle(silent(provenanceOf(image, platforms)), key)];
    await attach({ registry, image, subject: digest, bundles, clock });
    const only = policyOf(key, { predicates: [predicateTypes.provenance] });
    expect((await look(registry, digest, { policy: only })).answer).toBe('verified');
    expect((await look(registry, digest, { policy: only, expected: { recipe } })).answer).toBe('missing');
  });

  it('a policy that names a builder without its ref means: at a ref that is expected', async () => {
    const workflow = 'https://github.com/acme/hedgedoc/.github/workflows/release.yml';
    const registry = new MemoryRegistry();
    const at = (id: string) => (statement: Statement) =>
      changed('predicate.builder.id', id)(changed('predicate.runDetails.builder.id', id)(statement));
    const { digest } = await attested(registry, image, key, at(`${workflow}@${ref}`));
    const keys = [{ keyid: key.publicKey.keyid, builder: workflow }];
    const answer = async (expected: Expected) =>
      (await look(registry, digest, { policy: policyOf(key, { keys }), expected })).answer;
    expect(await answer({ refs: [ref] })).toBe('verified');
    expect(await answer({})).toBe('bad');
    expect(await answer({ refs: [`${ref}-2`] })).toBe('bad');
    const other = await look(registry, digest, {
      policy: policyOf(key, { keys }),
      expected: { refs: ['refs/x'] },
    });
    expect(other.findings[0]!.message).toContain(`ref of the builder is ${ref}, not refs/x`);
    expect(await answer({ pipelineRefs: [ref] })).toBe('verified');
    const { findings } = await look(registry, digest, { policy: policyOf(key, { keys }) });
    expect(findings[0]).toMatchObject({ code: 'provenance-mismatch', found: ref });
    expect(findings[0]!.message).toContain(
      `ref of the builder is ${ref}, not one that \`version\` or \`release-branch\` names`,
    );
  });

  it('a dispatched run names its branch: enough where the commit is compared too', async () => {
    const branch = 'refs/heads/main';
    const registry = new MemoryRegistry();
    const onBranch = changed(
      'predicate.buildDefinition.resolvedDependencies.0.uri',
      `git+${policy.repository}@${branch}`,
    );
    const { digest } = await attested(registry, image, key, onBranch);
    const answer = async (expected: Expected) => (await look(registry, digest, { expected })).answer;
    expect(await answer({ commit, refs: [ref], pipelineRefs: [branch] })).toBe('verified');
    expect(await answer({ refs: [ref], pipelineRefs: [branch] })).toBe('bad');
    expect(await answer({ commit, refs: [ref], pipelineRefs: ['refs/heads/topic'] })).toBe('bad');
    expect(await answer({ commit, refs: [ref] })).toBe('bad');
  });

  it('a recipe that is named apart must be of the tag, whatever the pipeline is of', async () => {
    const branch = 'refs/heads/main';
    const registry = new MemoryRegistry();
    const onBranch = changed('predicate.source.uri', `git+${policy.repository}@${branch}`);
    const { digest } = await attested(registry, image, key, onBranch);
    const expected = { commit, refs: [ref], pipelineRefs: [branch] };
    expect((await look(registry, digest, { expected })).answer).toBe('bad');
  });

  it.each([
    [{ agrees: true } as const, 'verified', []],
    [
      { agrees: false, differing: ['context: src/app.js', 'base: alpine'] } as const,
      'bad',
      ['recipe-differs'],
    ],
  ])('the recipe of the checkout: %j', async (answer, verdictOf, found) => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    const asked: unknown[] = [];
    const recompute = async (published: unknown) => {
      asked.push(published);
      return answer;
    };
    const result = await verifyImage({ registry, image: withDigest(image, digest), policy, recompute });
    expect(result.answer).toBe(verdictOf);
    expect(codes(result)).toEqual(found);
    expect(asked).toEqual([
      { digest: recipe, document: labels['dev.knowngood.inputs'], revision: commit, platform: 'linux/amd64' },
    ]);
  });
});
