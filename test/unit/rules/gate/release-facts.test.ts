import { describe, expect, it } from 'vitest';
import { releaseFacts } from '../../../../src/rules/gate/release-facts.ts';
import { parsePattern, type TagFact } from '../../../../src/rules/releases.ts';
import { repositoryIdentity } from '../../../../src/rules/repository-identity.ts';

const id = (text: string): string => text.repeat(40).slice(0, 40);
const tag = (name: string, commit: string, more: Partial<TagFact> = {}): TagFact => ({
  name,
  commit: id(commit),
  tree: id(`${commit}0`),
  reachable: true,
  ancestor: true,
  ...more,
});
const tags = [
  tag('1.0.0', 'a'),
  tag('1.1.0', 'b'),
  tag('2.0.0-rc.1', 'c'),
  tag('1.2.0', 'd', { reachable: false }),
  tag('edge', 'e'),
];
const facts = (version: string, list = tags, pattern = '*', base?: string) =>
  releaseFacts(list, parsePattern(pattern), 'main', { version }, base);

describe('what the tags say about a candidate', () => {
  it('finds its tag, the latest stable release and how many are older', () => {
    expect(facts('1.1.0', tags, '*', '1.0.0')).toEqual({
      tag: { name: '1.1.0', commit: id('b'), tree: id('b0') },
      onBranch: true,
      branch: 'main',
      older: 1,
      latest: { version: '1.1.0', tag: '1.1.0', commit: id('b') },
      base: { version: '1.0.0', tag: '1.0.0', commit: id('a') },
    });
  });

  it.each([
    [
      'a tag on a side branch is a tag, not on the branch, and not the latest',
      '1.2.0',
      { onBranch: false, latest: { version: '1.1.0' } },
    ],
    ['a tag that nobody pushed is none', '3.0.0', { onBranch: false, older: 3 }],
    ['what is no version has no release tag', 'edge', { onBranch: true, older: 3 }],
    ['another spelling is the same release', 'v1.1.0', { tag: { name: '1.1.0' }, onBranch: true }],
  ])('%s', (_what, version, expected) => {
    expect(facts(version)).toMatchObject(expected);
    if (!('tag' in expected) && version !== '1.2.0') expect(facts(version).tag).toBeUndefined();
  });

  it('takes a version in two spellings on different commits for untagged', () => {
    expect(facts('1.1.0', [...tags, tag('v1.1.0', 'f')]).tag).toBeUndefined();
    expect(facts('1.1.0', [...tags, tag('v1.1.0', 'b')]).tag?.commit).toBe(id('b'));
  });

  it('keeps to the tags of its own line', () => {
    const lines = [tag('2.5.0', 'a'), tag('2.6.0', 'b'), tag('3.0.0', 'c')];
    expect(facts('2.6.0', lines, '2.*')).toMatchObject({ latest: { version: '2.6.0' }, older: 1 });
    expect(facts('2.6.0', lines, '*')).toMatchObject({ latest: { version: '3.0.0' } });
  });

  it('takes a base that is not reachable for no release', () => {
    expect(facts('1.1.0', tags, '*', '1.2.0').base).toBeUndefined();
  });
});

describe('the identity of a repository', () => {
  it.each([
    ['https://github.com/acme/app', 'github.com/acme/app'],
    ['https://x-access-token@GitHub.com/acme/app.git/', 'github.com/acme/app'],
    ['git@github.com:acme/app.git', 'github.com/acme/app'],
    ['ssh://git@git.example.org:22/acme/app', 'git.example.org/acme/app'],
    ['ssh://git@git.example.org:2222/acme/app', 'git.example.org:2222/acme/app'],
    ['http://127.0.0.1:3000/acme/app.git', '127.0.0.1:3000/acme/app'],
    ['/srv/git/app.git', '/srv/git/app'],
    ['file:///srv/git/app', '/srv/git/app'],
  ])('%s is %s', (address, expected) => {
    expect(repositoryIdentity(address)).toBe(expected);
  });
});
