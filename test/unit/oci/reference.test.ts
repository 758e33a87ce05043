import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import {
  formatReference,
  isTag,
  lowerCaseGhcr,
  parseReference,
  type Reference,
  repositoryName,
  withDigest,
  withTag,
} from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';

const D = digestOf('x');

describe('parseReference', () => {
  it.each<[string, Reference]>([
    ['alpine', { registry: 'docker.io', repository: 'library/alpine' }],
    ['alpine:3.20', { registry: 'docker.io', repository: 'library/alpine', tag: '3.20' }],
    ['docker.io/alpine', { registry: 'docker.io', repository: 'library/alpine' }],
    ['index.docker.io/library/alpine', { registry: 'docker.io', repository: 'library/alpine' }],
    ['registry-1.docker.io/a/b', { registry: 'docker.io', repository: 'a/b' }],
    ['acme/app', { registry: 'docker.io', repository: 'acme/app' }],
    ['localhost/app', { registry: 'localhost', repository: 'app' }],
    ['localhost:5000/app', { registry: 'localhost:5000', repository: 'app' }],
    ['127.0.0.1:5000/a/b/c:t', { registry: '127.0.0.1:5000', repository: 'a/b/c', tag: 't' }],
    ['[::1]:5000/a:t', { registry: '[::1]:5000', repository: 'a', tag: 't' }],
    ['GHCR.io/acme/app', { registry: 'ghcr.io', repository: 'acme/app' }],
    ['Host/app', { registry: 'host', repository: 'app' }],
    [
      'ghcr.io/a/b__c/d---e/f.g:1_2.3-4',
      { registry: 'ghcr.io', repository: 'a/b__c/d---e/f.g', tag: '1_2.3-4' },
    ],
    [`quay.io/a/b@${D}`, { registry: 'quay.io', repository: 'a/b', digest: D }],
    [`quay.io/a/b:1@${D}`, { registry: 'quay.io', repository: 'a/b', tag: '1', digest: D }],
  ])('reads %s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each([
    ['', 'repository name'],
    ['Alpine', 'lower-case'],
    ['ghcr.io/Acme/App', 'lower-case'],
    ['ghcr.io/', 'repository name'],
    ['ghcr.io//a', 'repository name'],
    ['a/../b', 'repository name'],
    ['a b', 'repository name'],
    ['a___b', 'repository name'],
    ['a:', 'tag'],
    ['a:.b', 'tag'],
    ['a:b:c', 'tag'],
    [`a:${'t'.repeat(129)}`, 'tag'],
    ['a@sha256:abc', 'digest'],
    [`a@sha512:${'0'.repeat(128)}`, 'digest'],
    [`a@${D}@${D}`, 'digest'],
    ['-host.io/a', 'host'],
    ['ho$t.io/a', 'host'],
    ['https://ghcr.io/a', 'host'],
    ['user:pw@ghcr.io/a', 'digest'],
    ['ghcr.io:x/a', 'host'],
    ['0'.repeat(64), 'image id'],
    [`${'a/'.repeat(130)}a`, 'repository name'],
    ['a\n', 'repository name'],
  ])('refuses %j', (text, why) => {
    expect(() => parseReference(text)).toThrow(Failure);
    expect(() => parseReference(text)).toThrow(why);
    try {
      parseReference(text);
    } catch (error) {
      expect((error as Failure).code).toBe('reference-invalid');
    }
  });

  const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
  const reference = fc
    .record({
      registry: fc.constantFrom(
        'docker.io',
        'ghcr.io',
        'localhost',
        'localhost:5000',
        'r.example.org:443',
        '[::1]:1',
      ),
      path: fc.array(component, { minLength: 1, maxLength: 4 }),
      tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/), { nil: undefined }),
      digest: fc.option(fc.string().map(digestOf), { nil: undefined }),
    })
    .map(
      ({ registry, path, tag, digest }): Reference => ({
        registry,
        repository: registry === 'docker.io' && path.length === 1 ? `library/${path[0]}` : path.join('/'),
        ...(tag === undefined ? {} : { tag }),
        ...(digest === undefined ? {} : { digest }),
      }),
    );

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(reference, (value) => {
        expect(parseReference(formatReference(value))).toEqual(value);
      }),
    );
  });

  it('either fails with its own code or gives something that it reads back', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aA0./:@_-[] \n\u212a') }), (text) => {
        try {
          const value = parseReference(text);
          expect(parseReference(formatReference(value))).toEqual(value);
        } catch (error) {
          expect(error).toMatchObject({ code: 'reference-invalid' });
        }
      }),
    );
  });
});

describe('references made from others', () => {
  const base = parseReference(`ghcr.io/acme/app:1@${D}`);

  it('at a tag have no digest, at a digest no tag', () => {
    expect(formatReference(withTag(base, '2'))).toBe('ghcr.io/acme/app:2');
    expect(formatReference(withDigest(base, D))).toBe(`ghcr.io/acme/app@${D}`);
    expect(repositoryName(base)).toBe('ghcr.io/acme/app');
  });

  it('take no tag that is none', () => {
    expect(() => withTag(base, 'a/b')).toThrow(Failure);
    expect(isTag('a\n')).toBe(false);
  });
});

describe('lowerCaseGhcr', () => {
  it.each([
    ['ghcr.io/Acme/App:V1', 'ghcr.io/acme/app:V1'],
    ['GHCR.IO/Acme/App', 'ghcr.io/acme/app'],
    [`ghcr.io/Acme/App@${D}`, `ghcr.io/acme/app@${D}`],
    ['quay.io/Acme/App', 'quay.io/Acme/App'],
    ['notghcr.io/Acme', 'notghcr.io/Acme'],
  ])('%s becomes %s', (text, expected) => {
    expect(lowerCaseGhcr(text)).toBe(expected);
  });
});
