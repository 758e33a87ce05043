import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LabelSection } from '../../../src/dossier/schema.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { formatReference, type Reference } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import type { Settings } from '../../../src/settings/schema.ts';
import { step } from '../../../src/steps/label.ts';
import type { StepInput, StepResult } from '../../../src/steps/step.ts';
import type { Tools } from '../../../src/steps/tools.ts';
import { commit, virtualClock } from '../provenance/scene.ts';
import { candidate } from './provenance-step.ts';

const OCI = 'org.opencontainers.image.';
const dockerfile = 'FROM alpine:3.20 AS tools\nFROM ghcr.io/acme/base:1\nCOPY --from=tools /bin/true /true\n';
const resolved: Readonly<Record<string, Digest>> = {
  'docker.io/library/alpine:3.20': digestOf('alpine'),
  'ghcr.io/acme/base:1': digestOf('base'),
};

interface Given {
  readonly files?: Readonly<Record<string, string>>;
  readonly settings?: Partial<Settings>;
  readonly candidate?: Partial<StepInput['candidate']>;
  readonly payload?: unknown;
  readonly repository?: Partial<StepInput['event']['repository']>;
  readonly resolve?: (name: string) => Digest | undefined;
  readonly forge?: () => Promise<object>;
}

async function labelled(
  given: Given = {},
): Promise<StepResult & { section: { label: LabelSection }; log: string[] }> {
  const workspace = mkdtempSync(join(tmpdir(), 'label-'));
  for (const [path, content] of Object.entries({ Dockerfile: dockerfile, 'app.js': '1', ...given.files })) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), content);
  }
  const asked: Reference[] = [];
  const own = { ...candidate, ...given.candidate };
  const { version: _, ...untagged } = own;
  const log: string[] = [];
  const tools = {
    clock: virtualClock(),
    tree: async () => workspace,
    labels: () => import('../../../src/provenance/labels.ts'),
    recipes: () => import('../../../src/recipe/making.ts'),
    describe: async () => '3.0.0-5-g0123456',
    composeFiles: async () => ({ files: ['compose.yml'] }),
    repository: async () => ({ url: 'git@git.example.org:acme/hedgedoc.git' }),
    forge: async () => ({
      repository: given.forge ?? (() => Promise.reject(new Failure('forge-unreachable'))),
    }),
    registry: async () => ({
      resolve: async (reference: Reference) => {
        asked.push(reference);
        const digest = (given.resolve ?? ((name) => resolved[name]))(formatReference(reference));
        return digest && { digest, mediaType: '' };
      },
    }),
  } as unknown as Tools;
  const input = {
    settings: {
      context: '.',
      dockerfile: 'Dockerfile',
      platforms: [],
      buildArgs: {},
      labels: {},
      annotations: {},
      ...given.settings,
    },
    candidate: own.version === undefined ? untagged : own,
    tools,
    event: { repository: { slug: 'acme/hedgedoc', ...given.repository }, payload: () => given.payload },
    log: { info: (text: string) => log.push(text), detail: () => {} },
    signal: new AbortController().signal,
  } as unknown as StepInput;
  if (step.about !== 'candidate') throw new Error('another kind of step');
  const result = await step.run(input);
  return { ...result, section: result.section as { label: LabelSection }, log };
}

describe('label', () => {
  it('tells version, revision, recipe, final base and both sets in section and outputs', async () => {
    const { outcome, reasons, section, outputs, findings } = await labelled();
    expect([outcome, reasons, findings]).toEqual(['done', ['labelled'], []]);
    const { label } = section;
    expect(outputs).toEqual({
      version: candidate.version,
      revision: commit,
      'recipe-digest': `v1:${digestOf(label.recipeDocument)}`,
      labels: JSON.stringify(label.labels),
      annotations: JSON.stringify(label.annotations),
      'from-name': 'ghcr.io/acme/base:1',
      'from-digest': digestOf('base'),
    });
    expect(label.labels).toMatchObject({
      [`${OCI}version`]: candidate.version,
      [`${OCI}revision`]: commit,
      [`${OCI}created`]: candidate.committedAt,
      [`${OCI}base.name`]: 'ghcr.io/acme/base:1',
      [`${OCI}base.digest`]: digestOf('base'),
      'dev.knowngood.dirty': 'false',
      'dev.knowngood.recipe': outputs['recipe-digest'],
      'dev.knowngood.inputs': label.recipeDocument,
    });
  });

  it('computes what is dirty, and names the checkout where it is another commit', async () => {
    const merge = 'c'.repeat(40);
    const { label } = (await labelled({ candidate: { dirty: ['app.js'], checkout: merge } })).section;
    expect(label.labels).toMatchObject({
      'dev.knowngood.dirty': 'true',
      'dev.knowngood.checkout': merge,
      [`${OCI}revision`]: commit,
    });
  });

  it('describes a commit without a version by the tag before it', async () => {
    const { label } = (await labelled({ candidate: { version: undefined as never } })).section;
    expect(label.labels[`${OCI}version`]).toBe('3.0.0-5-g0123456');
    expect(label.version).toBe('3.0.0-5-g0123456');
  });

  it('changes with the tree and the bases, and with nothing else', async () => {
    const digest = async (given: Given) => (await labelled(given)).outputs['recipe-digest'];
    const before = await digest({});
    expect(await digest({ candidate: { version: '9.9.9', commit: 'd'.repeat(40) } })).toBe(before);
    expect(await digest({ settings: { annotations: { a: 'b' } } })).toBe(before);
    expect(await digest({ files: { 'app.js': '2' } })).not.toBe(before);
    expect(await digest({ settings: { labels: { a: 'b' } } })).not.toBe(before);
    expect(await digest({ resolve: (name) => digestOf(`${name} moved`) })).not.toBe(before);
  });

  it.each([
    ['is not there', (): Digest | undefined => undefined, [], 'Not resolved yet'],
    [
      'could not be looked up',
      () => {
        throw new Failure('registry-unreachable');
      },
      ['warning'],
      'could not be looked up',
    ],
  ] as const)(
    'goes on where a base %s: build-push completes the recipe',
    async (_name, resolve, levels, text) => {
      const { reasons, section, findings, outputs } = await labelled({ resolve });
      expect(reasons).toEqual(['labelled', 'recipe-unresolved']);
      expect(findings!.filter(({ level }) => level !== 'info').map(({ level }) => level)).toEqual(
        levels.flatMap((level) => [level, level]),
      );
      expect(findings!.map(({ message }) => message).join('\n')).toContain(text);
      expect(outputs['recipe-digest']).toBeUndefined();
      expect(section.label.labels).toMatchObject({ 'dev.knowngood.recipe': '', [`${OCI}base.digest`]: '' });
      expect(section.label).not.toHaveProperty('recipeDigest');
    },
  );

  it('ends where it was cancelled meanwhile', async () => {
    const resolve = (): Digest => {
      throw new Failure('cancelled');
    };
    await expect(labelled({ resolve })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it("leaves the Dockerfile's own LABELs to it", async () => {
    const text = `${dockerfile}LABEL ${OCI}title="Notes" ${OCI}version="0"\n`;
    const { label } = (await labelled({ files: { Dockerfile: text } })).section;
    expect(label.labels).toMatchObject({ [`${OCI}title`]: 'Notes', [`${OCI}version`]: candidate.version });
  });

  it('is about the target stage where one is set', async () => {
    const text = `FROM alpine:3.20 AS tools\nLABEL ${OCI}title="Tools"\nFROM ghcr.io/acme/base:1\nLABEL ${OCI}title="App"\n`;
    const whole = (await labelled({ files: { Dockerfile: text } })).section.label;
    const stage = (await labelled({ files: { Dockerfile: text }, settings: { target: 'tools' } })).section
      .label;
    expect([whole.labels[`${OCI}title`], whole.from?.name]).toEqual(['App', 'ghcr.io/acme/base:1']);
    expect([stage.labels[`${OCI}title`], stage.from?.name]).toEqual([
      'Tools',
      'docker.io/library/alpine:3.20',
    ]);
    expect(JSON.parse(stage.recipeDocument).target).toBe('tools');
  });

  it('names no base on scratch', async () => {
    const { section, outputs } = await labelled({ files: { Dockerfile: 'FROM scratch\nCOPY app.js /\n' } });
    expect(section.label).not.toHaveProperty('from');
    expect(section.label.labels[`${OCI}base.name`]).toBe('');
    expect(outputs['from-name']).toBeUndefined();
  });

  it('labels an application of compose files by the images that they name', async () => {
    const files = { 'compose.yml': 'services:\n  app:\n    image: ghcr.io/acme/base:1\n' };
    const subject = { kind: 'compose', images: {} } as unknown as NonNullable<Given['candidate']>['subject'];
    const { section, outputs } = await labelled({ files, candidate: { subject: subject! } });
    expect(JSON.parse(section.label.recipeDocument)).toMatchObject({
      kind: 'compose',
      images: { app: { reference: 'ghcr.io/acme/base:1', digest: digestOf('base') } },
    });
    expect(outputs['from-name']).toBeUndefined();
  });
});

describe('what labels say of the project', () => {
  const said = async (given: Given) => {
    const { section, log } = await labelled(given);
    const short = Object.entries(section.label.labels).map(([key, value]) => [key.replace(OCI, ''), value]);
    return { ...(Object.fromEntries(short) as Record<string, string>), log };
  };

  it('is what the remote tells where nobody says more', async () => {
    expect(await said({})).toMatchObject({
      title: 'hedgedoc',
      vendor: 'acme',
      source: 'https://git.example.org/acme/hedgedoc',
      url: 'https://git.example.org/acme/hedgedoc',
      description: '',
      licenses: '',
      log: [],
    });
  });

  it('is the name of the recipe where the host names no repository', async () => {
    const labels = await said({ repository: { slug: undefined as never } });
    expect(labels).toMatchObject({ title: 'hedgedoc', vendor: '' });
    expect(await said({ repository: { slug: 'notes' }, candidate: { recipe: 'other' } })).toMatchObject({
      title: 'other',
      vendor: '',
    });
  });

  it("is what GitHub's event says, but for its addresses, which are the sender's choice", async () => {
    const payload = {
      repository: {
        full_name: 'acme/hedgedoc',
        description: 'Notes\n for   many',
        license: { spdx_id: 'AGPL-3.0-only' },
        html_url: 'https://evil.example',
        homepage: 'https://evil.example',
      },
    };
    const labels = await said({ payload, repository: { webUrl: 'https://github.com/acme/hedgedoc' } });
    expect(labels).toMatchObject({ description: 'Notes for many', licenses: 'AGPL-3.0-only' });
    expect(labels).toMatchObject({
      source: 'https://github.com/acme/hedgedoc',
      url: 'https://github.com/acme/hedgedoc',
    });
    const others = { repository: { ...payload.repository, full_name: 'evil/hedgedoc' } };
    expect(await said({ payload: others })).toMatchObject({ description: '' });
    const none = {
      repository: { full_name: 'acme/hedgedoc', license: { spdx_id: 'NOASSERTION' }, description: 7 },
    };
    expect(await said({ payload: none })).toMatchObject({ licenses: '', description: '' });
  });

  const forge = async () => ({
    url: 'https://forge.example/acme/hedgedoc',
    description: 'Notes\nfor many',
    homepage: 'https://hedgedoc.example',
    licence: 'AGPL-3.0-only',
  });
  it('is what the forge says where one is set', async () => {
    const settings = { forgeUrl: 'https://forge.example' };
    expect(await said({ settings, forge })).toMatchObject({
      description: 'Notes for many',
      url: 'https://hedgedoc.example',
      source: 'https://forge.example/acme/hedgedoc',
      licenses: 'AGPL-3.0-only',
    });
    expect(await said({ forge })).toMatchObject({ description: '' });
    const bare = async () => ({ ...(await forge()), homepage: '', licence: 'NOASSERTION' });
    expect(await said({ settings, forge: bare })).toMatchObject({
      url: 'https://forge.example/acme/hedgedoc',
      licenses: '',
    });
  });

  it('goes without the forge where it fails or takes its time, and says so', async () => {
    const settings = { forgeToken: 'x' };
    const late = () => new Promise<object>(() => {});
    for (const broken of [undefined, late]) {
      const labels = await said({ settings, ...(broken && { forge: broken }) });
      expect(labels).toMatchObject({ description: '', title: 'hedgedoc' });
      expect(labels.log.join()).toContain("without the forge's description");
    }
    const cancelled = () => Promise.reject(new Failure('cancelled'));
    await expect(said({ settings, forge: cancelled })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('is what settings say above all', async () => {
    const settings = { sourceUrl: 'https://set.example/x.git', labels: { [`${OCI}title`]: 'Set' } };
    expect(await said({ settings })).toMatchObject({
      title: 'Set',
      source: 'https://set.example/x',
      url: 'https://set.example/x',
    });
  });
});
