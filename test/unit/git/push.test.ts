import { describe, expect, it } from 'vitest';
import { readPush } from '../../../src/git/commit.ts';

describe('the answer of push --porcelain', () => {
  const ref = 'refs/heads/k';
  it.each([
    ['landed', `To x\n*\tabc:${ref}\t[new branch]\nDone\n`],
    ['landed', `To x\n \tabc:${ref}\t1..2\nDone\n`],
    ['landed', `To x\n=\tabc:${ref}\t[up to date]\nDone\n`],
    ['moved', `To x\n!\tabc:${ref}\t[rejected] (fetch first)\nDone\n`],
    ['moved', `To x\n!\tabc:${ref}\t[rejected] (non-fast-forward)\nDone\n`],
    ['taken', `To x\n!\tabc:${ref}\t[remote rejected] (failed to update ref)\nDone\n`],
    [
      'taken',
      `To x\n!\tabc:${ref}\t[remote rejected] (cannot lock ref 'refs/heads/k': is at 1 but expected 2)\nDone\n`,
    ],
    ['taken', `To x\n!\tabc:${ref}\t[remote rejected] (incorrect old value provided)\nDone\n`],
    [
      { refused: '[remote rejected] (pre-receive hook declined)' },
      `!\tabc:${ref}\t[remote rejected] (pre-receive hook declined)\n`,
    ],
    [
      { refused: '[remote failure] (remote failed to report status)' },
      `!\tabc:${ref}\t[remote failure] (remote failed to report status)\n`,
    ],
    [undefined, 'To x\nDone\n'],
    [undefined, `*\tabc:refs/heads/other\t[new branch]\n`],
  ])('is read as %j', (expected, output) => {
    expect(readPush(output, ref)).toEqual(expected);
  });
});
