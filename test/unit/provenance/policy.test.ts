import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Policy, readPolicy } from '../../../src/provenance/policy.ts';
import { newKey } from './scene.ts';

const { key, publicPem } = newKey();
const good = {
  keys: [{ keyid: key.publicKey.keyid, builder: 'https://drone.example.org/#release' }],
  repository: 'https://git.example.org/acme/hedgedoc',
  predicates: ['https://slsa.dev/provenance/v1'],
};
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
  format: 'pem',
  type: 'spki',
});
const identity = {
  san: 'https://github.com/acme/hedgedoc/.github/workflows/release.yml@refs/tags/1.0.0',
  issuer: 'https://token.actions.githubusercontent.com',
  builder: 'https://github.com/acme/hedgedoc/.github/workflows/release.yml',
};
const read = (change: object): Policy => readPolicy(JSON.stringify({ ...good, ...change }));

describe('policy', () => {
  it('is read', () => {
    expect(read({ keys: [{ ...good.keys[0], key: publicPem }] })).toStrictEqual({
      ...good,
      keys: [{ ...good.keys[0], key: publicPem }],
      identities: [],
    });
    expect(read({})).toStrictEqual({ ...good, identities: [] });
    expect(read({ keys: [], identities: [identity], 'trusted-root': { tlogs: [] } })).toStrictEqual({
      ...good,
      keys: [],
      identities: [identity],
      trustedRoot: { tlogs: [] },
    });
    const mail = { ...identity, san: 'ada@example.org' };
    expect(read({ identities: [mail], 'trusted-root': {} }).identities).toEqual([mail]);
  });

  it.each([
    ['a wildcard repository', { repository: 'https://git.example.org/acme/*' }],
    ['a part of a repository', { repository: 'acme/hedgedoc' }],
    ['a repository with .git', { repository: `${good.repository}.git` }],
    ['a repository with a final slash', { repository: `${good.repository}/` }],
    ['a repository with a user', { repository: 'https://ada@git.example.org/acme/hedgedoc' }],
    ['no repository', { repository: '' }],
    ['a repository over ssh', { repository: 'ssh://git.example.org/acme/hedgedoc' }],
    ['a repository with a query', { repository: `${good.repository}?x=1` }],
    ['a repository at no port', { repository: 'https://git.example.org:99999/acme/hedgedoc' }],
    ['a key with more to it', { keys: [{ ...good.keys[0], builders: ['x'] }] }],
    ['an identity with more to it', { identities: [{ ...identity, sans: ['x'] }], 'trusted-root': {} }],
    ['an anchored expression', { repository: `^${good.repository}$` }],
    ['a builder with alternatives', { keys: [{ ...good.keys[0], builder: 'https://a.example/(x|y)' }] }],
    ['a builder with any characters', { keys: [{ ...good.keys[0], builder: 'https://a.example/.+' }] }],
    ['a builder that is a path', { keys: [{ ...good.keys[0], builder: 'drone.example.org' }] }],
    [
      'a subject with a class',
      { identities: [{ ...identity, san: 'https://github.com/acme/[a-z]' }], 'trusted-root': {} },
    ],
    ['a subject that is a part', { identities: [{ ...identity, san: 'acme/hedgedoc' }], 'trusted-root': {} }],
    [
      'an issuer with a wildcard',
      { identities: [{ ...identity, issuer: 'https://*.example' }], 'trusted-root': {} },
    ],
    ['identities that rest on nothing', { identities: [identity] }],
    ['a key id that is none', { keys: [{ ...good.keys[0], keyid: 'release' }] }],
    ['a key that its id does not name', { keys: [{ ...good.keys[0], key: newKey().publicPem }] }],
    ['a key of another kind', { keys: [{ ...good.keys[0], key: rsa }] }],
    ['a private key', { keys: [{ ...good.keys[0], key: newKey().pem }] }],
    ['nobody to trust', { keys: [] }],
    ['nothing to ask for', { predicates: [] }],
    ['a predicate type that nobody checks', { predicates: ['https://example.org/vouched'] }],
    ['a predicate pattern', { predicates: ['https://slsa.dev/.*'] }],
    ['a key that is not known', { repositories: ['x'] }],
    ['a number for a name', { repository: 1 }],
  ])('%s is refused', (_name, change) => {
    expect(() => read(change)).toThrow(
      expect.objectContaining({ code: 'policy-invalid', message: expect.stringMatching(/[Tt]he policy/) }),
    );
  });

  it.each([
    [{ repository: undefined }, '`repository` is missing'],
    [{ repositories: ['x'] }, '`repositories` is not known'],
    [{ keys: [{ ...good.keys[0], keyid: 7 }] }, '`keys.0.keyid` is wrong: expected string but received 7'],
    [{ keys: 'x' }, '`keys` is wrong'],
    [{ predicates: [] }, '`predicates` names no predicate type'],
    [{ repository: 'https://git.example.org/.*' }, '`repository` is a pattern'],
  ])('says in a sentence what is wrong with %j', (change, sentence) => {
    expect(() => read(change)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(sentence) }),
    );
  });

  it('with a key twice is refused, for two readers could read two policies', () => {
    const text = JSON.stringify(good).replace('{', '{"repository":"https://evil.example/x",');
    expect(() => readPolicy(text)).toThrow(
      expect.objectContaining({ code: 'policy-invalid', message: 'The policy is not strict JSON.' }),
    );
    expect(() => readPolicy('[]')).toThrow(expect.objectContaining({ code: 'policy-invalid' }));
    expect(() => readPolicy('1')).toThrow(
      expect.objectContaining({ message: expect.stringContaining('the whole') }),
    );
  });
});
