import { expect, it } from 'vitest';
import { readInputs } from '../../../src/provenance/recipe-inputs.ts';
import { base, document } from './scene.ts';

it('reads bases and context tree of a recipe document', () => {
  expect(readInputs(document)).toEqual({ bases: [base], contextTree: 'c'.repeat(64) });
});

it.each([
  ['no JSON', '{', []],
  ['no document', '[]', []],
  ['a compose recipe', JSON.stringify({ kind: 'compose', tree: 'c'.repeat(64), images: {} }), []],
  ['a context that is no tree', document.replace('c'.repeat(64), 'HEAD'), []],
  ['a base without a usable digest', document.replace(base.digest, 'sha256:0'), []],
])('takes nothing from %s that is not one', (_name, text, bases) => {
  expect(readInputs(text).bases).toEqual(bases);
  expect(readInputs(text).contextTree).toBe(_name.includes('base') ? 'c'.repeat(64) : undefined);
});
