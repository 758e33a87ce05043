import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { Failure } from '../../../src/outcome.ts';
import { guardTag } from '../../../src/rules/overwrite-guard.ts';
import {
  decideReuse,
  type Found,
  isBeforeFirst,
  type Place,
  type Proof,
  type Wanted,
} from '../../../src/rules/reuse.ts';

const recipe = `v1:${digestOf('recipe')}`;
const commit = 'a'.repeat(40);
const labels = {
  'org.opencontainers.image.version': '1.0.0',
  'org.opencontainers.image.revision': commit,
  'dev.knowngood.recipe': recipe,
};
const wanted: Wanted = { recipeDigest: recipe, labels, canRelabel: true };
const image = (place: Place, own: Record<string, string> = labels, name: string = place): Found => ({
  place,
  digest: digestOf(name),
  labels: [own],
});
const proof = (name: string, by: Proof['by'] = 'ledger', recipeDigest = recipe): Proof => ({
  digest: digestOf(name),
  recipeDigest,
  by,
});
const older = { ...labels, 'org.opencontainers.image.version': '0.9.0' };
const before = { 'org.opencontainers.image.revision': commit };

describe('decideReuse', () => {
  it.each<[string, Partial<Wanted>, Found[], Proof[], string, Place | undefined]>([
    ['nothing is there', {}, [], [], 'built', undefined],
    ['the same with proof', {}, [image('commit')], [proof('commit')], 'unchanged', 'commit'],
    ['proven by a bundle', {}, [image('edge')], [proof('edge', 'bundle')], 'unchanged', 'edge'],
    ['built by this run', {}, [image('commit')], [proof('commit', 'this-run')], 'unchanged', 'commit'],
    [
      'forged labels in all places',
      {},
      [image('version'), image('commit'), image('edge')],
      [],
      'built',
      undefined,
    ],
    ['a proof of another digest', {}, [image('commit')], [proof('edge')], 'built', undefined],
    [
      'a proof of another recipe',
      {},
      [image('commit')],
      [proof('commit', 'ledger', 'v1:sha256:0')],
      'built',
      undefined,
    ],
    [
      'further labels do not matter',
      {},
      [image('commit', { ...labels, extra: '1' })],
      [proof('commit')],
      'unchanged',
      'commit',
    ],
    [
      'other labels with proof',
      {},
      [image('canonical', older)],
      [proof('canonical')],
      'relabelled',
      'canonical',
    ],
    [
      'other labels where nothing is pushed',
      { canRelabel: false },
      [image('canonical', older)],
      [proof('canonical')],
      'built',
      undefined,
    ],
    [
      'equal labels anywhere win over other ones',
      {},
      [image('version', older), image('canonical')],
      [proof('version'), proof('canonical')],
      'unchanged',
      'canonical',
    ],
    [
      'the order of places, not of the list',
      {},
      [image('canonical'), image('commit')],
      [proof('canonical'), proof('commit')],
      'unchanged',
      'commit',
    ],
    [
      'a recipe without digest',
      { recipeDigest: undefined } as never,
      [image('commit')],
      [proof('commit')],
      'built',
      undefined,
    ],
    [
      'from before knowngood',
      { adoptableCommit: commit },
      [image('version', before)],
      [],
      'adopted',
      'version',
    ],
    [
      'from before, other commit',
      { adoptableCommit: 'b'.repeat(40) },
      [image('version', before)],
      [],
      'built',
      undefined,
    ],
    [
      'from before, under another tag',
      { adoptableCommit: commit },
      [image('commit', before)],
      [],
      'built',
      undefined,
    ],
    ['from before, no release', {}, [image('version', before)], [], 'built', undefined],
    [
      'not from before: it has our labels',
      { adoptableCommit: commit },
      [image('version')],
      [],
      'built',
      undefined,
    ],
  ])('%s', (_, more, found, proofs, source, place) => {
    const reuse = decideReuse({ ...wanted, ...more }, found, proofs);
    expect(reuse.source).toBe(source);
    expect('place' in reuse ? reuse.place : undefined).toBe(place);
    if ('digest' in reuse) expect(reuse.digest).toBe(digestOf(place!));
  });

  it('asks every platform of an index', () => {
    const half: Found = { ...image('commit'), labels: [labels, older] };
    expect(decideReuse(wanted, [half], [proof('commit')]).source).toBe('relabelled');
    const adopted: Found = { ...image('version'), labels: [before, labels] };
    expect(decideReuse({ ...wanted, adoptableCommit: commit }, [adopted], []).source).toBe('built');
  });

  it('says of forged labels that nothing proves them', () => {
    const reuse = decideReuse(wanted, [image('edge')], []);
    expect(reuse.source === 'built' && reuse.refused[0]?.why).toContain('nothing proves them');
  });
});

it.each([
  ['1.0.0', undefined, true],
  ['1.0.0', '1.0.0', true],
  ['0.9.0', '1.0.0', true],
  ['1.0.1', '1.0.0', false],
  ['nightly', undefined, false],
  ['1.0.0', 'nightly', false],
])('%s can be from before, the first promoted being %s: %s', (version, first, expected) => {
  expect(isBeforeFirst(version, first)).toBe(expected);
});

describe('guardTag', () => {
  const platform = (name: string, layers = ['l1']) => ({
    platform: name,
    config: { digest: digestOf(`config ${name}`) },
    layers: layers.map(digestOf),
  });
  const candidate = { digest: digestOf('candidate'), platforms: [platform('linux/amd64')] };
  const failure = new Failure('registry-failed');
  it.each<[string, Parameters<typeof guardTag>[0], string]>([
    ['nothing there', { absent: true }, 'free'],
    ['the same digest', { found: candidate }, 'same'],
    ['the same content under another digest', { found: { ...candidate, digest: digestOf('index') } }, 'same'],
    [
      'other layers',
      { found: { digest: digestOf('x'), platforms: [platform('linux/amd64', ['l2'])] } },
      'conflict',
    ],
    [
      'a platform more',
      { found: { digest: digestOf('x'), platforms: [...candidate.platforms, platform('linux/arm64')] } },
      'conflict',
    ],
    ['no answer', { failed: failure }, 'cannot-determine'],
  ])('%s', (_, looked, verdict) => {
    expect(guardTag(looked, candidate).verdict).toBe(verdict);
  });
  it('adopts the digest that is there', () => {
    const verdict = guardTag({ found: { ...candidate, digest: digestOf('index') } }, candidate);
    expect(verdict).toEqual({ verdict: 'same', digest: digestOf('index') });
  });
});
