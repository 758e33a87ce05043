import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseReference, withDigest } from '../../../src/oci/reference.ts';
import { predicateTypes } from '../../../src/provenance/statement.ts';
import { verifyImage } from '../../../src/provenance/verify.ts';
import type { SettingName, Settings } from '../../../src/settings/schema.ts';
import { step } from '../../../src/steps/attest.ts';
import type { StepInput, StepResult } from '../../../src/steps/step.ts';
import { MemoryRegistry } from '../provenance/memory-registry.ts';
import {
  base,
  commit,
  document,
  labels,
  newKey,
  policyOf,
  putImage,
  recipe,
  version,
} from '../provenance/scene.ts';
import { type Given, imageName, imageSection, play, testSection } from './provenance-step.ts';

const image = parseReference(imageName);
const own = newKey('ec');
const withKey: Partial<Settings> = {
  signing: 'key',
  signingKey: own.pem,
  given: new Set<SettingName>(['signing', 'signing-key']),
};

async function scene(more: (digest: Digest) => Partial<Given> = () => ({})) {
  const registry = new MemoryRegistry();
  const { digest } = await putImage(registry, image, { platforms: ['amd64', 'arm64'] });
  return { registry, digest, ...play({ registry, image: imageSection(digest), ...more(digest) }) };
}

const run = (input: StepInput): Promise<StepResult> => {
  if (step.about !== 'candidate') throw new Error('another kind of step');
  return step.run(input);
};

describe('a release that this run built', () => {
  it('is signed, and verifies at the index and at each platform', async () => {
    const { input, registry, digest, masked } = await scene(() => ({ settings: withKey }));
    const result = await run(input);
    expect(result).toMatchObject({ outcome: 'done', reasons: ['signed'] });
    expect(result.section?.attestations?.map((one) => one.predicateType)).toEqual([
      predicateTypes.provenance,
      predicateTypes.recipe,
    ]);
    const { platforms } = (await registry.contents(withDigest(image, digest)))!;
    for (const one of [digest, ...platforms.map(({ manifest }) => manifest.digest)]) {
      const answer = await verifyImage({
        registry,
        image: withDigest(image, one),
        policy: policyOf(own.key),
      });
      expect(answer).toMatchObject({ answer: 'verified', findings: [] });
    }
    expect(masked).toContain(own.pem);
  });

  it('tells where statement, bundle and attestation are', async () => {
    const { input, file, registry } = await scene(() => ({ settings: withKey }));
    const { outputs } = await run(input);
    expect(outputs.statement).toBe('knowngood-out/hedgedoc/provenance.statement.json');
    const statement = JSON.parse(file(outputs.statement!));
    expect(JSON.parse(file('knowngood-out/hedgedoc/provenance.predicate.json'))).toEqual(statement.predicate);
    const { dsseEnvelope } = JSON.parse(file(outputs.bundle!));
    expect(JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString())).toEqual(statement);
    expect(registry.manifests.has(outputs['attestation-digest']!)).toBe(true);
    expect(JSON.stringify(file(outputs.bundle!))).not.toContain('PRIVATE');
  });

  it('names what the image itself says that it was made of', async () => {
    const { input, file, digest } = await scene(() => ({ settings: withKey }));
    await run(input);
    const { subject, predicate } = JSON.parse(file('knowngood-out/hedgedoc/provenance.statement.json'));
    expect(subject[0]).toEqual({ name: imageName, digest: { sha256: digest.slice('sha256:'.length) } });
    expect(predicate.buildDefinition.resolvedDependencies.slice(1)).toEqual([
      { uri: 'pkg:docker/alpine@3.20', digest: { sha256: base.digest.slice('sha256:'.length) } },
      { name: 'build-context', digest: { gitTree: 'c'.repeat(64) } },
    ]);
    expect(predicate.runDetails.byproducts).toEqual([
      { name: 'recipe.json', digest: { sha256: recipe.slice('v1:sha256:'.length) } },
    ]);
    const own = JSON.parse(file('knowngood-out/hedgedoc/recipe.statement.json')).predicate;
    expect(own).toMatchObject({
      version,
      revision: commit,
      recipe: { digest: recipe, document },
      how: 'built',
    });
  });

  it('names no version where the image names none', async () => {
    const registry = new MemoryRegistry();
    const { 'dev.knowngood.version': _, ...unversioned } = labels;
    const { digest } = await putImage(registry, image, { labels: unversioned });
    const { input, file } = play({ registry, image: imageSection(digest) });
    await run(input);
    const { predicate } = JSON.parse(file('knowngood-out/hedgedoc/recipe.statement.json'));
    expect(predicate).not.toHaveProperty('version');
  });

  it('attests once, however often it runs', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await putImage(registry, image);
    const given = { registry, image: imageSection(digest), settings: withKey };
    const first = await run(play(given).input);
    const manifests = registry.manifests.size;
    expect((await run(play(given).input)).outputs).toEqual(first.outputs);
    expect(registry.manifests.size).toBe(manifests);
  });

  it.each([
    ['signing: none', { signing: 'none', given: new Set(['signing']), signingKey: own.pem }, 0],
    ['no key at all', {}, 0],
    ['signing: key without a key', { signing: 'key', given: new Set(['signing']) }, 1],
    ['dry-run', { ...withKey, dryRun: true }, 0],
  ] as const)(
    'is unsigned with %s: written, not attached, and nothing of signing is loaded',
    async (_name, settings, findings) => {
      const { input, registry, loaded, file } = await scene(() => ({
        settings: settings as Partial<Settings>,
      }));
      const before = registry.manifests.size;
      const result = await run(input);
      expect(result).toMatchObject({ outcome: 'done', reasons: ['unsigned'] });
      expect(result.findings).toHaveLength(findings);
      expect(registry.manifests.size).toBe(before);
      expect(loaded).not.toContain('signing');
      expect(JSON.parse(file(result.outputs.statement!)).subject).toHaveLength(3);
      expect(result.outputs.bundle).toBeUndefined();
    },
  );

  it('a key given without `signing` is used', async () => {
    const { input } = await scene(() => ({
      settings: { signingKey: own.pem, given: new Set<SettingName>(['signing-key']) },
    }));
    expect(await run(input)).toMatchObject({ reasons: ['signed'] });
  });

  it('only relabelled has no provenance of its own: the layers are another run’s', async () => {
    const { input, file } = await scene((digest) => ({
      image: imageSection(digest, { source: 'relabelled' }),
      settings: withKey,
    }));
    const result = await run(input);
    expect(result.section?.attestations?.map((one) => one.predicateType)).toEqual([predicateTypes.recipe]);
    expect(JSON.parse(file(result.outputs.statement!)).predicate.how).toBe('relabelled');
  });

  it('on a base without a digest has no recipe statement', async () => {
    const registry = new MemoryRegistry();
    const local = { ...labels, 'dev.knowngood.recipe': '' };
    const { digest } = await putImage(registry, image, { labels: local });
    const result = await run(play({ registry, image: imageSection(digest), settings: withKey }).input);
    expect(result.section?.attestations?.map((one) => one.predicateType)).toEqual([
      predicateTypes.provenance,
    ]);
  });
});

describe('without a key', () => {
  it('a run that is no CI run is skipped, and the line goes on', async () => {
    const { input, registry } = await scene(() => ({ host: 'terminal', facts: {} }));
    const before = registry.manifests.size;
    expect(await run(input)).toMatchObject({ outcome: 'skipped', reasons: ['not-a-ci-run'] });
    expect(registry.manifests.size).toBe(before);
  });
});

describe('nothing is signed about', () => {
  it.each([
    ['an image that was found there', { image: { source: 'unchanged' } }, 'not-built-here'],
    ['an adopted image', { image: { source: 'adopted' } }, 'not-built-here'],
    ['an image of another run', { dossierRun: 'drone-other-1' }, 'not-built-here'],
    ['an image that was not pushed', { image: { pushed: false } }, 'not-pushed'],
  ] as const)('%s', async (_name, given, reason) => {
    const { input } = await scene((digest) => ({
      ...given,
      image: imageSection(digest, 'image' in given ? given.image : {}),
      settings: withKey,
    }));
    expect(await run(input)).toMatchObject({ outcome: 'skipped', reasons: [reason] });
  });

  it.each([
    ['a tree that is not the commit', { candidate: { dirty: ['app.js'] } }, 'tree-dirty'],
    ['a checkout of another commit', { candidate: { checkout: 'c'.repeat(40) } }, 'commit-tag-mismatch'],
    [
      'a digest of another commit',
      { candidate: { commit: 'c'.repeat(40), checkout: 'c'.repeat(40) } },
      'digest-mismatch',
    ],
    [
      'a digest of another recipe',
      { recomputed: () => ({ agrees: false, differing: ['context: app.js'] }) },
      'digest-mismatch',
    ],
    ['a run in a terminal', { host: 'terminal', facts: {} }, 'run-facts-missing'],
  ] as const)('%s', async (_name, given, code) => {
    const { input, registry } = await scene(() => ({ ...(given as Partial<Given>), settings: withKey }));
    const before = registry.manifests.size;
    await expect(run(input)).rejects.toMatchObject({ code });
    expect(registry.manifests.size).toBe(before);
  });

  it('what is not in the registry', async () => {
    const registry = new MemoryRegistry();
    const section = imageSection(`sha256:${'0'.repeat(64)}`);
    await expect(run(play({ registry, image: section }).input)).rejects.toMatchObject({
      code: 'source-missing',
    });
  });
});

describe('a release that was tested', () => {
  const { provenance, recipe: ofRecipe, testResult } = predicateTypes;
  const tested = (more: (digest: Digest) => Partial<Given> = () => ({})) =>
    scene((digest) => ({
      settings: withKey,
      test: testSection(digest, { context: 'release' }),
      ...more(digest),
    }));
  const types = ({ section }: StepResult) => section?.attestations?.map((one) => one.predicateType);

  it('has its test result signed beside provenance and recipe, in full', async () => {
    const { input, file } = await tested();
    expect(types(await run(input))).toEqual([provenance, ofRecipe, testResult]);
    const { predicate, subject } = JSON.parse(file('knowngood-out/hedgedoc/test-result.statement.json'));
    expect(subject).toHaveLength(3);
    expect(predicate.configuration[0].uri).toBe('https://drone.example.org/#release');
    expect(predicate.configuration[2]).toEqual({
      name: 'recipe.json',
      digest: { sha256: recipe.slice('v1:sha256:'.length) },
    });
    expect(predicate.url).toBe('https://drone.example.org/acme/hedgedoc/42');
    const { content } = predicate.configuration.find(({ name }: { name: string }) => name === 'test');
    expect(JSON.parse(Buffer.from(content, 'base64').toString())).toMatchObject({
      commit,
      verdict: 'green',
      commands: 'contained',
      testedPlatforms: ['linux/amd64'],
    });
  });

  it('says in a second `attest` the test result alone, and keeps what the first one said', async () => {
    const first = (await run((await scene(() => ({ settings: withKey }))).input)).section!.attestations!;
    const result = await run((await tested(() => ({ attestations: first }))).input);
    expect(types(result)).toEqual([provenance, ofRecipe, testResult]);
    expect(result.section!.attestations!.slice(0, 2)).toEqual(first);
    expect(result.outputs.statement).toBe('knowngood-out/hedgedoc/test-result.statement.json');
  });

  it('signs in a second `attest` what the first one could only write', async () => {
    const first = (await run((await scene(() => ({}))).input)).section!.attestations!;
    expect(first.map(({ bundle }) => bundle)).toEqual([undefined, undefined]);
    const result = await run((await tested(() => ({ attestations: first, settings: withKey }))).input);
    expect(types(result)).toEqual([provenance, ofRecipe, testResult]);
    expect(result.section!.attestations!.every(({ bundle }) => bundle !== undefined)).toBe(true);
  });

  it('has each statement once in its section, however often it is made', async () => {
    const first = (await run((await scene(() => ({ settings: withKey }))).input)).section!.attestations!;
    const again = await run((await scene(() => ({ settings: withKey, attestations: first }))).input);
    expect(types(again)).toEqual([provenance, ofRecipe]);
  });

  it('of an image that was found there says how it was tested, and not how it was made', async () => {
    const { input } = await tested((digest) => ({ image: imageSection(digest, { source: 'unchanged' }) }));
    expect(types(await run(input))).toEqual([testResult]);
  });

  it('says that it failed, and nothing where nobody can tell', async () => {
    const red = await tested((digest) => ({
      test: testSection(digest, { context: 'release', verdict: 'red' }),
    }));
    await run(red.input);
    expect(JSON.parse(red.file('knowngood-out/hedgedoc/test-result.statement.json')).predicate.result).toBe(
      'FAILED',
    );
    const open = await tested((digest) => ({
      image: imageSection(digest, { source: 'adopted' }),
      test: testSection(digest, { verdict: 'inconclusive' }),
    }));
    expect(await run(open.input)).toMatchObject({ outcome: 'skipped', reasons: ['no-test-result'] });
  });

  it.each([
    ['another run', { run: 'drone-other-1' }],
    ['another commit', { commit: 'c'.repeat(40) }],
  ] as const)('does not borrow the test of %s', async (_name, more) => {
    const { input, registry } = await tested((digest) => ({ test: testSection(digest, more) }));
    const before = registry.manifests.size;
    await expect(run(input)).rejects.toMatchObject({ code: 'evidence-unbound' });
    expect(registry.manifests.size).toBe(before);
  });
});

describe('a change', () => {
  const change = (test: (digest: Digest) => Given['test']) =>
    scene((digest) => ({
      context: 'change',
      settings: withKey,
      test: test(digest),
      candidate: { tag: undefined as never },
    }));

  it('is attested by its test result, never by release provenance', async () => {
    const { input, file } = await change((digest) => testSection(digest));
    const result = await run(input);
    expect(result.section?.attestations?.map((one) => one.predicateType)).toEqual([
      predicateTypes.testResult,
    ]);
    const { predicate } = JSON.parse(file(result.outputs.statement!));
    expect(predicate).toMatchObject({ result: 'PASSED', passedTests: ['install'], failedTests: [] });
    expect(predicate.configuration[0]).toEqual({ name: 'builder', uri: 'https://drone.example.org/#change' });
  });

  it.each([['an inconclusive test', { verdict: 'inconclusive' }, 'no-test-result']] as const)(
    'with %s has nothing to sign',
    async (_name, more, reason) => {
      const { input } = await change((digest) => testSection(digest, more));
      expect(await run(input)).toMatchObject({ outcome: 'skipped', reasons: [reason] });
    },
  );

  it('whose test was skipped is skipped for the same reason', async () => {
    const { input } = await change(() => ({ outcome: 'skipped', reasons: ['no-own-image'] }));
    expect(await run(input)).toMatchObject({ outcome: 'skipped', reasons: ['no-own-image'] });
  });

  it.each([
    ['another run', { run: 'drone-other-1' }],
    ['another commit', { commit: 'c'.repeat(40) }],
    ['another digest', { subject: { kind: 'image', image: imageName, digest: `sha256:${'0'.repeat(64)}` } }],
  ] as const)('does not borrow the test of %s', async (_name, more) => {
    const { input } = await change((digest) => testSection(digest, more));
    await expect(run(input)).rejects.toMatchObject({ code: 'evidence-unbound' });
  });

  it('that was not tested yet says what to run first', async () => {
    const { input } = await change(() => undefined);
    await expect(run(input)).rejects.toMatchObject({ code: 'dossier-incomplete' });
  });

  it('keeps the commit under test', async () => {
    const { input, file } = await change((digest) => testSection(digest));
    const result = await run(input);
    const source = JSON.parse(file(result.outputs.statement!)).predicate.configuration[1];
    expect(source).toMatchObject({ name: 'source', digest: { gitCommit: commit } });
  });
});
