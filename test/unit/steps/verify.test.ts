import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatReference, parseReference, withDigest } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import type { StepInput, StepResult } from '../../../src/steps/step.ts';
import { step } from '../../../src/steps/verify.ts';
import { MemoryRegistry } from '../provenance/memory-registry.ts';
import { attested, commit, newKey, policyOf, putImage } from '../provenance/scene.ts';
import { type Given, imageName, play } from './provenance-step.ts';

const image = parseReference(imageName);
const { key } = newKey();
const policy = policyOf(key);

/** `verify` is about an image, not a candidate: its `out` is the folder of all recipes. */
const run = (input: StepInput): Promise<StepResult> => {
  if (step.about !== 'project') throw new Error('another kind of step');
  return step.run({ ...input, out: join(input.out, '..') });
};

async function scene(more: Partial<Given> = {}) {
  const registry = new MemoryRegistry();
  const { digest } = await attested(registry, image, key);
  const imageRef = formatReference(withDigest(image, digest));
  const { settings, ...others } = more;
  return { registry, digest, ...play({ registry, policy, ...others, settings: { imageRef, ...settings } }) };
}

describe('verify', () => {
  it('is done where everything holds', async () => {
    const { input } = await scene();
    const result = await run(input);
    expect(result).toMatchObject({
      outcome: 'done',
      reasons: ['verified'],
      outputs: { verified: 'true', 'verify-findings': '[]' },
    });
  });

  it('refuses what is not signed, and names why in outputs', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await putImage(registry, image);
    const { input } = play({ registry, policy, settings: { imageRef: `${imageName}@${digest}` } });
    const result = await run(input);
    expect(result).toMatchObject({
      outcome: 'refused',
      reasons: ['attestation-missing'],
      outputs: { verified: 'false' },
    });
    expect(JSON.parse(result.outputs['verify-findings']!)).toHaveLength(2);
  });

  it('is an error, not a refusal, where the registry does not answer', async () => {
    const { input, registry } = await scene();
    registry.before = () => {
      throw new Failure('registry-unreachable');
    };
    await expect(run(input)).rejects.toMatchObject({ code: 'registry-unreachable', outcome: 'error' });
  });

  it('recomputes the recipe in a clean checkout of the same commit, and in no other', async () => {
    const differs = () => ({ agrees: false, differing: ['context: app.js'] }) as const;
    const verdict = async (candidate: NonNullable<Given['candidate']>) =>
      (await run((await scene({ recomputed: differs, candidate })).input)).reasons;
    expect(await verdict({})).toEqual(['recipe-differs']);
    expect(await verdict({ checkout: 'c'.repeat(40) })).toEqual(['verified']);
    expect(await verdict({ dirty: ['app.js'] })).toEqual(['verified']);
  });

  it('needs no checkout', async () => {
    const { input } = await scene();
    const tools = { ...input.tools, candidate: () => Promise.reject(new Failure('candidate-unknown')) };
    expect(await run({ ...input, tools })).toMatchObject({
      outcome: 'done',
      summary: expect.stringContaining('no checkout: '),
    });
  });

  it('says what it did not compare, and why', async () => {
    const told = async (given: Partial<Given>) => (await run((await scene(given)).input)).summary;
    const bare = await told({});
    expect(bare).toContain('version and tag (set `version`)');
    expect(bare).toContain('the commit (set `candidate`)');
    expect(bare).not.toContain('the recipe (');
    const whole = await told({ settings: { version: '3.0.1+v2.0.0', candidate: commit } });
    expect(whole).not.toContain('not compared');
    const elsewhere = { checkout: 'c'.repeat(40) };
    expect(await told({ candidate: elsewhere })).toContain(`${elsewhere.checkout}, the image of ${commit}`);
    expect(await told({ candidate: { dirty: ['policy.json'] } })).toContain('changes: policy.json)');
    expect(await told({ candidate: { dirty: ['a', 'b', 'c'] } })).toContain('changes: a and 2 more)');
  });

  it('tells what is wrong with what to do, and whom it does not know', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, newKey().key);
    const { input } = play({ registry, policy, settings: { imageRef: `${imageName}@${digest}` } });
    const { summary, facts } = await run(input);
    expect(summary).toContain(`${imageName}@${digest}`);
    expect(summary).toContain('is not there. Every look-up was answered.');
    expect(summary).toMatch(/^\| `attestation-missing` \| ⛔ \| .+ \| `Run attest .+` \|$/m);
    expect(summary).toContain('2 by signers that the policy does not know');
    expect(facts).toContainEqual(['Others', '2 by signers that the policy does not know, ignored']);
  });

  it.each([
    ['the version', { version: '3.0.2' }, 'refused'],
    ['the version with a v', { version: 'v3.0.1+v2.0.0' }, 'done'],
    ['the commit', { candidate: 'f'.repeat(40) }, 'refused'],
  ] as const)('compares %s where it is set', async (_name, settings, outcome) => {
    const { input } = await scene({ settings });
    expect((await run(input)).outcome).toBe(outcome);
  });

  it('takes the image of the only dossier', async () => {
    const { input, digest } = await scene();
    const bare = { ...input, settings: { ...input.settings, imageRef: undefined } };
    await expect(run(bare)).rejects.toMatchObject({ code: 'setting-missing' });
    const { writeDossier } = await import('../../../src/dossier/store.ts');
    const section = { outcome: 'done', reasons: ['built'], image: imageName, digest } as never;
    mkdirSync(input.out, { recursive: true });
    writeDossier(join(input.out, 'dossier.json'), { ...input.dossier, image: section });
    expect(await run(bare)).toMatchObject({ outcome: 'done' });
    const other = join(input.out, '..', 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'dossier.json'), JSON.stringify({ ...input.dossier, image: section }));
    await expect(run(bare)).rejects.toMatchObject({ code: 'setting-missing' });
  });

  it('takes the image of the dossier that is named, by its recipe or its path', async () => {
    const { input, digest } = await scene();
    const { writeDossier } = await import('../../../src/dossier/store.ts');
    const section = { outcome: 'done', reasons: ['built'], image: imageName, digest } as never;
    const all = join(input.out, '..');
    writeFileSync(join(all, 'outputs.env'), '');
    mkdirSync(join(all, 'empty'));
    for (const recipe of ['one', 'two']) {
      mkdirSync(join(all, recipe));
      writeDossier(join(all, recipe, 'dossier.json'), { ...input.dossier, image: section });
    }
    const asked = (more: Partial<typeof input.settings>) =>
      run({ ...input, settings: { ...input.settings, imageRef: undefined, ...more } });
    await expect(asked({})).rejects.toMatchObject({ code: 'setting-missing' });
    expect(await asked({ recipe: 'two' })).toMatchObject({ outcome: 'done' });
    expect(await asked({ dossier: 'knowngood-out/one/dossier.json' })).toMatchObject({ outcome: 'done' });
    await expect(asked({ recipe: 'empty' })).rejects.toMatchObject({ code: 'setting-missing' });
  });

  it.each([
    ['was not pushed', { outcome: 'done', reasons: ['built'], image: imageName }],
    ['was skipped', { outcome: 'skipped', reasons: ['no-own-image'] }],
  ])('takes no image that %s', async (_name, section) => {
    const { input } = await scene();
    const { writeDossier } = await import('../../../src/dossier/store.ts');
    writeDossier(join(input.out, 'dossier.json'), { ...input.dossier, image: section as never });
    const bare = { ...input, settings: { ...input.settings, imageRef: undefined } };
    await expect(run(bare)).rejects.toMatchObject({ code: 'setting-missing' });
  });

  it('takes a tag as well, and says in the log what it did not compare', async () => {
    const { input, registry, digest } = await scene();
    registry.tagged.set('3', digest);
    const log: string[] = [];
    const told = { ...input.log, info: (text: string) => log.push(text) };
    const asked = (more: object) =>
      run({ ...input, log: told, settings: { ...input.settings, imageRef: `${imageName}:3`, ...more } });
    const { outcome, facts } = await asked({});
    expect([outcome, facts![0]![1]]).toEqual(['done', expect.stringContaining(digest)]);
    expect(log).toEqual(['Not compared: version and tag (set `version`); the commit (set `candidate`).']);
    log.length = 0;
    await asked({ version: '3.0.1+v2.0.0', candidate: commit });
    expect(log).toEqual([]);
  });

  it.each([
    ['no policy', { policy: undefined as never }, 'setting-missing'],
    [
      'a policy that is a pattern',
      {
        policy: JSON.stringify({
          ...policy,
          identities: undefined,
          repository: 'https://git.example.org/acme/.*',
        }),
      },
      'policy-invalid',
    ],
    ['neither tag nor digest', { settings: { imageRef: imageName } }, 'setting-invalid'],
  ])('with %s is an error', async (_name, given, code) => {
    const { input } = await scene(given as Partial<Given>);
    await expect(run(input)).rejects.toMatchObject({ code });
  });
});
