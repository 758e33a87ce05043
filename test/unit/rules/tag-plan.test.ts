import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/outcome.ts';
import { isVersionTag, planStage, type StageFacts, versionTag } from '../../../src/rules/tag-plan.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
const facts: StageFacts = {
  runContext: 'change',
  onReleaseBranch: false,
  candidateGiven: false,
  commit,
  push: 'auto',
  publish: 'on-promote',
  tags: [],
  credentials: true,
};
const staged = { push: true, stage: 'sha-0123456789ab', moving: [], extra: [] };
const failureOf = (work: () => unknown): Failure | undefined => {
  try {
    work();
    return undefined;
  } catch (cause) {
    return cause as Failure;
  }
};

describe('planStage', () => {
  it.each<[string, Partial<StageFacts>, unknown]>([
    ['a release', { runContext: 'release' }, staged],
    ['a release does not publish by itself', { runContext: 'release', version: '1.2.3' }, staged],
    [
      'a release that publishes on push',
      { runContext: 'release', version: '3.0.1+v2.0.0', publish: 'on-push' },
      { ...staged, version: '3.0.1_v2.0.0' },
    ],
    ['a push to the release branch', { onReleaseBranch: true }, { ...staged, moving: ['edge'] }],
    [
      'a push to the release branch never publishes a version',
      { onReleaseBranch: true, publish: 'on-push', version: '1.2.3' },
      { ...staged, moving: ['edge'] },
    ],
    ['a pull request', { pullRequest: { number: 7, fork: false } }, { push: false, why: 'event' }],
    [
      'a pull request with push: always',
      { pullRequest: { number: 7, fork: false }, push: 'always', tags: ['mine'] },
      { push: true, stage: 'pr-7-0123456789ab', moving: [], extra: [] },
    ],
    [
      'a given candidate on the release branch is a pull request all the same',
      {
        candidateGiven: true,
        onReleaseBranch: true,
        pullRequest: { number: 8, fork: false },
        push: 'always',
      },
      { push: true, stage: 'pr-8-0123456789ab', moving: [], extra: [] },
    ],
    ['a given candidate', { candidateGiven: true, onReleaseBranch: true }, { push: false, why: 'event' }],
    ['a fork', { pullRequest: { number: 7, fork: true } }, { push: false, why: 'fork' }],
    [
      'a fork cannot be made to push',
      { pullRequest: { number: 7, fork: true }, push: 'always', credentials: true, runContext: 'release' },
      { push: false, why: 'fork' },
    ],
    ['no credentials', { runContext: 'release', credentials: false }, { push: false, why: 'no-credentials' }],
    ['push: never', { runContext: 'release', push: 'never' }, { push: false, why: 'setting' }],
    ['anything else', {}, { push: false, why: 'event' }],
    ['anything else with push: always', { push: 'always' }, staged],
    [
      'extra tags',
      { runContext: 'release', tags: ['nightly', 'nightly', 'b2'] },
      { ...staged, extra: ['nightly', 'b2'] },
    ],
  ])('%s', (_, given, expected) => {
    expect(planStage({ ...facts, ...given })).toEqual(expected);
  });

  it.each<[string, Partial<StageFacts>, string]>([
    ['a candidate of no pull request', { candidateGiven: true, push: 'always' }, 'setting-missing'],
    ['publishing without a version', { runContext: 'release', publish: 'on-push' }, 'setting-missing'],
    ['the tag latest', { tags: ['latest'] }, 'tag-reserved'],
    ['the tag Latest', { tags: ['Latest'] }, 'tag-reserved'],
    ['the tag edge', { tags: ['edge'] }, 'tag-reserved'],
    ['a sha tag', { tags: ['sha-0123456789ab'] }, 'tag-reserved'],
    ['a signature tag', { tags: ['x.sig'] }, 'tag-reserved'],
    ['a floating line', { tags: ['3.0'] }, 'tag-reserved'],
    ['a floating number', { tags: ['v3'] }, 'tag-reserved'],
    ['no tag at all', { tags: ['a b'] }, 'setting-invalid'],
    ['a whole reference', { tags: ['host/image:1'] }, 'setting-invalid'],
    [
      'a version with _',
      { runContext: 'release', publish: 'on-push', version: '1.0_1' },
      'tag-unrepresentable',
    ],
    [
      'a version named latest',
      { runContext: 'release', publish: 'on-push', version: 'latest' },
      'tag-reserved',
    ],
    ['a version that floats', { runContext: 'release', publish: 'on-push', version: '3.0' }, 'tag-reserved'],
  ])('refuses %s', (_, given, code) => {
    expect(failureOf(() => planStage({ ...facts, ...given }))?.code).toBe(code);
  });
});

it.each([
  ['1.2.3', '1.2.3'],
  ['v1.2.3', '1.2.3'],
  ['3.0.1+v2.0.0', '3.0.1_v2.0.0'],
  ['1.0.0-rc.1', '1.0.0-rc.1'],
])('the tag of version %s is %s', (version, tag) => {
  expect(versionTag(version)).toBe(tag);
});

it.each([
  ['1.2.3', true],
  ['3.0.1_v2.0.0', true],
  ['nightly', false],
  ['1.2', false],
])('%s names an exact version: %s', (tag, expected) => {
  expect(isVersionTag(tag)).toBe(expected);
});
