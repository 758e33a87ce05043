import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import {
  annotationsWithRecipe,
  type LabelFacts,
  labelsWithRecipe,
  pageOfRemote,
  planLabels,
} from '../../../src/provenance/labels.ts';
import { inherited, labelFindings, publishedRecipe } from '../../../src/provenance/labels-agree.ts';
import { base, commit, document, recipe } from './scene.ts';

const OCI = 'org.opencontainers.image.';
const other = 'f'.repeat(40);
const facts: LabelFacts = {
  version: '3.0.1+v2.0.0',
  revision: commit,
  checkout: commit,
  created: '2026-01-02T04:04:05+01:00',
  dirty: false,
  base,
  recipe: { digest: recipe, document },
};
const described = {
  title: 'hedgedoc',
  description: 'Notes for many',
  url: 'https://hedgedoc.example',
  source: 'https://git.example.org/acme/hedgedoc.git/',
  documentation: 'https://docs.example',
  vendor: 'acme',
  authors: 'ada',
  licenses: 'AGPL-3.0-only',
};

describe('the set of labels', () => {
  it('is complete, whatever is known: a child image inherits what it does not set', () => {
    const computed = {
      [`${OCI}version`]: '3.0.1+v2.0.0',
      [`${OCI}revision`]: commit,
      [`${OCI}created`]: '2026-01-02T03:04:05Z',
      [`${OCI}base.name`]: base.name,
      [`${OCI}base.digest`]: base.digest,
      'dev.knowngood.version': '3.0.1+v2.0.0',
      'dev.knowngood.revision': commit,
      'dev.knowngood.dirty': 'false',
      'dev.knowngood.checkout': '',
      'dev.knowngood.recipe': recipe,
      'dev.knowngood.inputs': document,
    };
    const nothing = Object.fromEntries(Object.keys(described).map((name) => [OCI + name, '']));
    expect(planLabels(facts).labels).toEqual({ ...nothing, ...computed });
    const all = Object.fromEntries(Object.entries(described).map(([name, value]) => [OCI + name, value]));
    expect(planLabels({ ...facts, ...described }).labels).toEqual({
      ...all,
      ...computed,
      [`${OCI}source`]: 'https://git.example.org/acme/hedgedoc',
    });
  });

  it('is on the index too, where nothing is inherited and nothing need be empty', () => {
    const { labels, annotations } = planLabels({ ...facts, ...described });
    expect(annotations).toEqual(
      Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== '')),
    );
    expect(Object.keys(labels).filter((name) => !(name in annotations))).toEqual(['dev.knowngood.checkout']);
    const bare = planLabels(facts);
    expect(bare.annotations).toEqual(
      Object.fromEntries(Object.entries(bare.labels).filter(([, value]) => value !== '')),
    );
  });

  it.each([
    ['v1.2.3', '1.2.3'],
    ['V1.2.3', '1.2.3'],
    ['1.2.3+v2.0.0', '1.2.3+v2.0.0'],
    ['1.2.3-0-gabcdef0', '1.2.3-0-gabcdef0'],
    ['vanilla', 'vanilla'],
  ])('says the version %s as %s, in both places', (version, said) => {
    const { labels } = planLabels({ ...facts, version });
    expect([labels[`${OCI}version`], labels['dev.knowngood.version']]).toEqual([said, said]);
  });

  it('says the time of the commit, in UTC and seconds; no time is no label', () => {
    const created = (time: string) => planLabels({ ...facts, created: time }).labels[`${OCI}created`];
    expect(created('2026-01-02T03:04:05.678Z')).toBe('2026-01-02T03:04:05Z');
    expect(() => created('yesterday')).toThrow(expect.objectContaining({ code: 'internal-error' }));
  });

  it('says that the tree was dirty, and what was checked out where that is not the commit', () => {
    const { labels, annotations } = planLabels({ ...facts, dirty: true, checkout: other });
    for (const said of [labels, annotations]) {
      expect(said).toMatchObject({ 'dev.knowngood.dirty': 'true', 'dev.knowngood.checkout': other });
      expect(said[`${OCI}revision`]).toBe(commit);
    }
    expect(planLabels(facts).annotations).not.toHaveProperty(['dev.knowngood.checkout']);
  });

  it('names no base on scratch, and no recipe digest where there is none: empty, or the base would speak', () => {
    const { base: _, ...scratch } = facts;
    const { labels, annotations } = planLabels({ ...scratch, recipe: { document } });
    expect(labels).toMatchObject({
      [`${OCI}base.name`]: '',
      [`${OCI}base.digest`]: '',
      'dev.knowngood.recipe': '',
    });
    for (const name of [`${OCI}base.name`, `${OCI}base.digest`, 'dev.knowngood.recipe'])
      expect(annotations).not.toHaveProperty([name]);
    expect(publishedRecipe(labels)).toBeUndefined();
  });

  it("leaves the Dockerfile's own LABELs to it, but for what is computed", () => {
    const own = {
      [`${OCI}title`]: 'Notes',
      [`${OCI}vendor`]: '$VENDOR',
      [`${OCI}version`]: '0.0.0',
      'dev.knowngood.revision': other,
    };
    const { labels, annotations } = planLabels({ ...facts, ...described, dockerfileLabels: own });
    expect(labels).toMatchObject({ [`${OCI}title`]: 'Notes', [`${OCI}version`]: '3.0.1+v2.0.0' });
    expect(labels['dev.knowngood.revision']).toBe(commit);
    // A value with variables is the builder's to fill in; until then the index says what is known.
    expect(labels).not.toHaveProperty([`${OCI}vendor`]);
    expect(annotations).toMatchObject({ [`${OCI}title`]: 'Notes', [`${OCI}vendor`]: 'acme' });
    expect(Object.keys(planLabels({ ...facts, dockerfileLabels: own }).annotations)).not.toContain(
      `${OCI}vendor`,
    );
  });

  it('takes settings over everything that is not computed', () => {
    const { labels, annotations } = planLabels({
      ...facts,
      ...described,
      dockerfileLabels: { [`${OCI}title`]: 'Notes' },
      labels: { [`${OCI}title`]: 'Set', 'org.example.a': 'b' },
      annotations: { [`${OCI}description`]: 'of the index' },
    });
    expect(labels).toMatchObject({ [`${OCI}title`]: 'Set', 'org.example.a': 'b' });
    expect(labels[`${OCI}description`]).toBe(described.description);
    expect(annotations).toMatchObject({
      [`${OCI}title`]: 'Set',
      'org.example.a': 'b',
      [`${OCI}description`]: 'of the index',
    });
  });

  it.each(
    ['version', 'revision', 'created', 'base.name', 'base.digest']
      .map((name) => OCI + name)
      .concat('dev.knowngood.dirty', 'dev.knowngood.anything'),
  )('lets no setting say %s', (name) => {
    for (const setting of ['labels', 'annotations']) {
      expect(() => planLabels({ ...facts, [setting]: { [name]: 'x' } })).toThrow(
        expect.objectContaining({ code: 'setting-invalid', message: expect.stringContaining(name) }),
      );
    }
    const remedy = name.endsWith('image.version') ? 'Set `version`' : 'Leave it out';
    expect(() => planLabels({ ...facts, labels: { [name]: 'x' } })).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining(remedy) }),
    );
  });

  it('is one set for one recipe, version and commit, in whatever order things are told', () => {
    const pairs = fc.dictionary(fc.string({ minLength: 1 }), fc.string());
    fc.assert(
      fc.property(pairs, (labels) => {
        const turned = Object.fromEntries(Object.entries(labels).reverse());
        const text = (given: Record<string, string>) =>
          JSON.stringify(planLabels({ ...facts, labels: given }));
        expect(text(turned)).toBe(text(labels));
        const names = Object.keys(planLabels({ ...facts, labels: {} }).labels);
        expect(names).toEqual([...names].sort());
      }),
    );
  });
});

describe('a recipe that is completed later', () => {
  const { labels, annotations } = planLabels({
    ...facts,
    base: { name: base.name },
    recipe: { document: '{}' },
  });
  const found = { name: `${base.name}.1`, digest: digestOf('found') };

  it('is in labels and annotations as if it had been known, and so is the base', () => {
    const known = planLabels({ ...facts, base: found });
    expect(labelsWithRecipe(labels, facts.recipe, found)).toEqual(known.labels);
    expect(annotationsWithRecipe(annotations, facts.recipe, found)).toEqual(known.annotations);
    expect(Object.keys(labelsWithRecipe(labels, facts.recipe, found))).toEqual(Object.keys(known.labels));
  });

  it('that has no digest or base any more is said to have none: the base would speak in its place', () => {
    const { labels: whole, annotations: said } = planLabels(facts);
    const none = ['dev.knowngood.recipe', `${OCI}base.name`, `${OCI}base.digest`];
    for (const name of none) {
      expect(labelsWithRecipe(whole, { document }, undefined)[name]).toBe('');
      expect(annotationsWithRecipe(said, { document }, undefined)).not.toHaveProperty([name]);
    }
    expect(Object.keys(labelsWithRecipe(whole, { document }, undefined))).toEqual(Object.keys(whole));
  });
});

describe('labels of a base image', () => {
  const { labels: ours } = planLabels(facts);

  it('are not taken for those of a child that another program built upon it', () => {
    expect(inherited(ours)).toEqual([]);
    expect(inherited({ ...ours, [`${OCI}version`]: '9' })).toEqual(['version']);
    expect(inherited({ ...ours, [`${OCI}revision`]: other })).toEqual(['revision']);
    const { 'dev.knowngood.version': _, ...without } = ours;
    expect(inherited(without)).toEqual(['version']);
    const [finding] = labelFindings('linux/amd64', { ...ours, [`${OCI}version`]: '9' }, []);
    expect(finding).toMatchObject({ code: 'labels-inherited', level: 'error' });
    expect(finding!.message).toContain('linux/amd64: org.opencontainers.image.version differ');
  });

  it('are all replaced by our own child of our own base', () => {
    const child = planLabels({
      version: '1.0.0',
      revision: other,
      checkout: other,
      created: facts.created,
      dirty: false,
      recipe: { document: '{}' },
    }).labels;
    const kept = Object.entries({ ...ours, ...child }).filter(([name]) => child[name] === undefined);
    expect(kept).toEqual([]);
  });

  it('say nothing against an image that none of ours is in', () => {
    expect(labelFindings('linux/amd64', {}, [])).toEqual([]);
    const claims = { builder: 'x', source: 'git+x', commit, sourceIsPipelines: true };
    expect(labelFindings('linux/amd64', { [`${OCI}revision`]: commit }, [claims])).toEqual([]);
    expect(labelFindings('linux/amd64', { [`${OCI}version`]: '1' }, [claims])).toEqual([]);
    expect(labelFindings('linux/amd64', { [`${OCI}revision`]: other }, [claims])).toMatchObject([
      { code: 'labels-disagree', expected: commit, found: other },
    ]);
    // A recipe was signed for it, so our labels must be there.
    const missing = labelFindings('linux/amd64', {}, [{ ...claims, recipe }]).map(({ message }) => message);
    for (const name of ['recipe', 'revision', 'dirty']) {
      expect(missing.join()).toContain(`the label dev.knowngood.${name} contradicts`);
    }
  });

  it('are told once, however many statements they contradict', () => {
    const claims = { builder: 'x', source: 'git+x', commit: other, sourceIsPipelines: true };
    expect(
      labelFindings('linux/amd64', ours, [claims, { ...claims, version: '3.0.1+v2.0.0' }]),
    ).toMatchObject([{ code: 'labels-disagree', expected: other, found: commit }]);
    const { 'dev.knowngood.dirty': _, ...without } = ours;
    expect(labelFindings('linux/amd64', without, [{ ...claims, commit }])).toMatchObject([
      { expected: 'false', found: 'no such label' },
    ]);
  });

  it.each(['dev.knowngood.recipe', 'dev.knowngood.inputs'])('name no recipe without %s', (name) => {
    const { [name]: _, ...without } = ours;
    expect(publishedRecipe(ours)).toEqual({ digest: recipe, document, revision: commit });
    expect(publishedRecipe(without)).toBeUndefined();
    expect(publishedRecipe({ ...ours, [name]: '' })).toBeUndefined();
  });

  it('may name the base without the digest that the Dockerfile writes behind the tag', () => {
    const pinned = document.replace(base.name, `${base.name}@${base.digest}`);
    const labels = planLabels({
      ...facts,
      recipe: { digest: `v1:${digestOf(pinned)}`, document: pinned },
    }).labels;
    expect(labelFindings('linux/amd64', labels, [])).toEqual([]);
    const longer = { ...labels, [`${OCI}base.name`]: base.name.slice(0, -1) };
    expect(labelFindings('linux/amd64', longer, [])).toMatchObject([{ code: 'labels-disagree' }]);
  });
});

it.each([
  ['https://git.example.org/acme/notes.git', 'https://git.example.org/acme/notes'],
  ['https://ada:secret@git.example.org/acme/notes.git?x=1#y', 'https://git.example.org/acme/notes'],
  ['https://git.example.org:8443/acme/notes/', 'https://git.example.org:8443/acme/notes'],
  ['http://127.0.0.1:3000/acme/notes.git', 'http://127.0.0.1:3000/acme/notes'],
  ['git@git.example.org:acme/notes.git', 'https://git.example.org/acme/notes'],
  ['git.example.org:acme/notes', 'https://git.example.org/acme/notes'],
  ['ssh://git@git.example.org:2222/acme/notes.git', 'https://git.example.org/acme/notes'],
  ['file:///srv/notes.git', undefined],
  ['/srv/notes.git', undefined],
  ['ssh:///acme/notes.git', undefined],
  ['ftp://git.example.org/acme/notes.git', undefined],
  ['https://git.example.org', undefined],
  ['https://git.example.org/', undefined],
  ['nonsense', undefined],
])('the page of the remote %s is %s', (remote, page) => {
  expect(pageOfRemote(remote)).toBe(page);
});
