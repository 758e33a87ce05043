import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeImage } from '../../../sandbox/image.ts';
import { sandbox } from '../../../sandbox/index.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { relabelledConfig, relabelledManifest } from '../../../src/oci/relabel.ts';
import { Failure } from '../../../src/outcome.ts';
import type { Tools } from '../../../src/steps/tools.ts';
import { emptyLedger, promoteImage } from './ledger.ts';
import { commitNamed, type RunFacts, run } from './project.ts';
import { contentsAt, outsider, tagDigest, tagsOf } from './registry.ts';

const box = await sandbox();
const from = await box.base('busybox');
const noEngine = 'unix:///nowhere/docker.sock';
let number = 0;
const release = (more: Partial<RunFacts> = {}): RunFacts => ({
  image: `${box.registry.host}/reuse/app-${process.pid}-${number++}`,
  dockerHost: box.dockerHost,
  files: { Dockerfile: `FROM ${from}\nCOPY a.txt /\nRUN echo ${number} > /n\n`, 'a.txt': 'a\n' },
  version: '1.0.0',
  ...more,
});
const must = async (facts: RunFacts) => {
  const { image, result, failure, log } = await run(facts);
  if (!image || failure) throw new Error(`${failure?.code} ${failure?.message}\n${log}`);
  return { image, result: result!, log };
};
const sha = (name: string) => `sha-${commitNamed(name).slice(0, 12)}`;

describe('an image that is there already', () => {
  it('is used as it is where the ledger names it with this recipe, and no engine is asked', async () => {
    const ledger = await emptyLedger();
    const facts = release({ ledger });
    const first = await must(facts);
    await promoteImage(ledger, first.image, '1.0.0');
    const second = await must({ ...facts, dockerHost: noEngine });
    expect(second.image).toMatchObject({ source: 'unchanged', pushed: true, digest: first.image.digest });
    expect(second.result.reasons).toEqual(['unchanged']);
  });

  it('is not used without proof, although all its labels are right', async () => {
    const facts = release();
    await must(facts);
    const second = await must(facts);
    expect(second.image.source).toBe('built');
    expect(second.log).toContain('nothing proves them');
  });

  it('is not used where somebody asked for a build', async () => {
    const ledger = await emptyLedger();
    const facts = release({ ledger });
    await promoteImage(ledger, (await must(facts)).image, '1.0.0');
    expect((await must({ ...facts, settings: { 'skip-unchanged': 'false' } })).image.source).toBe('built');
  });

  it('is not used for another recipe', async () => {
    const ledger = await emptyLedger();
    const facts = release({ ledger });
    await promoteImage(ledger, (await must(facts)).image, '1.0.0');
    const changed = { ...facts, version: '1.0.1', files: { ...facts.files, 'a.txt': 'b\n' } };
    expect((await must(changed)).image.source).toBe('built');
  });

  it('that is of another recipe is said to be, and what is different, down to the path', async () => {
    const ledger = await emptyLedger();
    const facts = release({ ledger });
    await promoteImage(ledger, (await must(facts)).image, '1.0.0');
    const next = {
      ...facts,
      version: '1.0.1',
      commit: commitNamed('two'),
      files: { ...facts.files, 'a.txt': 'b\n', 'new.txt': 'n' },
    };
    const layOut: Tools['layOut'] = async (commit, folder) => {
      if (commit !== commitNamed('one')) throw new Failure('candidate-unknown');
      mkdirSync(folder);
      for (const [path, content] of Object.entries(facts.files)) writeFileSync(join(folder, path), content);
      return folder;
    };
    const { log } = await must({ ...next, tools: () => ({ layOut }) });
    expect(log).toContain('(canonical) is not reused: it is of another recipe.');
    expect(log).toContain('What is different from there: context: a.txt changed, context: new.txt is new.');
    const gone: Tools['layOut'] = async () => {
      throw new Failure('candidate-unknown');
    };
    expect((await must({ ...next, tools: () => ({ layOut: gone }) })).log).toContain(
      'What is different from there: context changed.',
    );
  });

  it('gets new labels for another commit and version: no engine, the same layers, a new digest', async () => {
    const ledger = await emptyLedger();
    const facts = release({ ledger });
    const first = await must(facts);
    await promoteImage(ledger, first.image, '1.0.0');
    const next = { ...facts, version: '1.0.1', commit: commitNamed('two'), dockerHost: noEngine };
    const second = await must(next);
    expect(second.result.reasons).toEqual(['relabelled']);
    expect(second.image.digest).not.toBe(first.image.digest);
    expect(second.image.stagedTags).toEqual([sha('two')]);
    const [before, after] = await Promise.all(
      [first, second].map(({ image }) => contentsAt(`${image.image}@${image.digest}`)),
    );
    expect(after!.platforms[0]!.layers).toEqual(before!.platforms[0]!.layers);
    expect(after!.platforms[0]!.labels).toMatchObject({
      'org.opencontainers.image.version': '1.0.1',
      'dev.knowngood.revision': commitNamed('two'),
      'dev.knowngood.recipe': first.image.recipeDigest,
    });
    expect(await tagDigest(facts.image, sha('one'))).toBe(first.image.digest);
    // The very same again: one content, one digest.
    expect((await must(next)).image.digest).toBe(second.image.digest);
  });

  it('is built where it would need new labels and nothing is pushed', async () => {
    const ledger = await emptyLedger();
    const facts = release({ ledger });
    await promoteImage(ledger, (await must(facts)).image, '1.0.0');
    const change = await must({
      ...facts,
      context: 'change',
      commit: commitNamed('two'),
      event: { kind: 'pull-request', pullRequest: { number: 7, fork: false } },
    });
    expect(change.image).toMatchObject({ source: 'built', pushed: false });
    expect(change.result.reasons).toEqual(['built', 'not-pushed']);
  });
});

describe('an image from before knowngood', () => {
  const older = async (image: string, tag: string, labels: Record<string, string>) => {
    const repository = parseReference(image).repository;
    await box.image(
      repository,
      tag,
      await makeImage([[{ path: 'old', content: 'old' }]], { config: { Labels: labels } }),
    );
  };
  const revision = 'org.opencontainers.image.revision';

  it('is adopted under its exact version where it names the commit', async () => {
    const facts = release({ ledger: await emptyLedger(), dockerHost: noEngine });
    await older(facts.image, '1.0.0', { [revision]: commitNamed('one') });
    const { image, result } = await must(facts);
    expect(result.reasons).toEqual(['adopted']);
    expect(image.digest).toBe(await tagDigest(facts.image, '1.0.0'));
  });

  it.each([
    ['of another commit', '1.0.0', { [revision]: commitNamed('other') }],
    ['under another tag', sha('one'), { [revision]: commitNamed('one') }],
    [
      'that has one of our labels',
      '1.0.0',
      { [revision]: commitNamed('one'), 'dev.knowngood.version': '1.0.0' },
    ],
  ])('is not adopted %s', async (_, tag, labels) => {
    const facts = release();
    await older(facts.image, tag, labels);
    expect((await must(facts)).image.source).toBe('built');
  });

  it('is not adopted for a release younger than the first promoted one', async () => {
    const ledger = await emptyLedger();
    const facts = release({ ledger });
    await promoteImage(ledger, (await must(facts)).image, '1.0.0');
    const next = { ...facts, version: '1.1.0', files: { ...facts.files, 'a.txt': 'b\n' } };
    await older(facts.image, '1.1.0', { [revision]: commitNamed('one') });
    expect((await must(next)).image.source).toBe('built');
  });
});

describe('a foreign image with forged labels', () => {
  it('is reused under no tag, and its exact version is refused', async () => {
    const facts = release({ ledger: await emptyLedger() });
    const own = await must(facts);
    // Everybody who can push can copy every label onto other layers.
    const repository = parseReference(facts.image);
    const evil = await makeImage([[{ path: 'evil', content: 'evil' }]]);
    await box.image(repository.repository, 'evil', evil);
    const { platforms } = await contentsAt(`${facts.image}:evil`);
    const [platform] = platforms;
    const parsed = parseManifest(platform!.manifest.bytes, platform!.manifest.mediaType);
    if (parsed.kind !== 'image') throw new Error('an index');
    const config = relabelledConfig(platform!.config.bytes, own.image.labels, '2026-01-02T03:04:05Z');
    await outsider().putBlob(repository, digestOf(config), config);
    const forged = relabelledManifest(parsed, config);
    for (const tag of ['1.0.0', sha('one'), 'edge']) {
      await outsider().putManifest({ ...repository, tag }, forged);
    }
    const { image } = await must(facts);
    expect(image.source).toBe('built');
    expect(image.digest).not.toBe(forged.digest);
    expect(await tagDigest(facts.image, sha('one'))).toBe(image.digest);
    const { failure } = await run({ ...facts, settings: { publish: 'on-push' } });
    expect(failure?.code).toBe('dest-tag-conflict');
    expect(failure?.outcome).toBe('refused');
    expect(await tagDigest(facts.image, '1.0.0')).toBe(forged.digest);
  });
});

it('never reuses what a pull request pushed', async () => {
  const facts = release({
    context: 'change',
    event: { kind: 'pull-request', pullRequest: { number: 7, fork: false } },
    settings: { push: 'always' },
  });
  const first = await must(facts);
  expect(first.image.stagedTags).toEqual([`pr-7-${commitNamed('one').slice(0, 12)}`]);
  expect(await tagsOf(facts.image)).toEqual(first.image.stagedTags);
  expect((await must({ ...facts, event: {}, settings: {}, context: 'release' })).image.source).toBe('built');
});
