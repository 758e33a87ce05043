import { expect, it } from 'vitest';
import { isTrustedCommit } from '../../../src/rules/trusted-commit.ts';

it.each([
  ['release', false, false, true],
  ['release', true, true, true],
  ['change', false, false, true],
  ['change', true, false, false],
  ['change', false, true, false],
  ['change', true, true, false],
] as const)('in a %s, fork %s, named by a setting %s: trusted %s', (runContext, fork, given, trusted) => {
  expect(isTrustedCommit({ runContext, fork, given })).toBe(trusted);
});
