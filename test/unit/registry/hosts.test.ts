import { describe, expect, it } from 'vitest';
import { endpointOf, hostOfKey, realmOf } from '../../../src/registry/hosts.ts';

it.each([
  ['docker.io', 'https://registry-1.docker.io'],
  ['ghcr.io', 'https://ghcr.io'],
  ['registry.lan:5000', 'http://registry.lan:5000'],
  ['registry.lan', 'https://registry.lan'],
  ['127.0.0.1:5000', 'http://127.0.0.1:5000'],
  ['localhost', 'http://localhost'],
  ['[::1]:5000', 'http://[::1]:5000'],
  ['127.0.0.1.evil.org', 'https://127.0.0.1.evil.org'],
])('the API of %s is at %s', (registry, expected) => {
  expect(endpointOf(registry, ['registry.lan:5000'])).toBe(expected);
});

it.each([
  ['ghcr.io', 'ghcr.io'],
  ['GHCR.io', 'ghcr.io'],
  ['https://ghcr.io', 'ghcr.io'],
  ['https://ghcr.io/v2/', 'ghcr.io'],
  ['https://index.docker.io/v1/', 'docker.io'],
  ['registry-1.docker.io', 'docker.io'],
  ['docker.io', 'docker.io'],
  ['r.lan:5000', 'r.lan:5000'],
])('the key %s means %s', (key, host) => {
  expect(hostOfKey(key)).toBe(host);
});

describe('realmOf', () => {
  it.each<[string, string, string[]]>([
    ['ghcr.io', 'https://ghcr.io/token', []],
    ['docker.io', 'https://auth.docker.io/token', []],
    ['registry.gitlab.com', 'https://gitlab.com/jwt/auth', []],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000/token', []],
    ['r.example:5050', 'https://git.example/jwt/auth', ['git.example']],
    ['127.0.0.1:5000', 'https://git.example/jwt/auth', ['git.example']],
  ])('%s may send us to %s', (registry, realm, trusted) => {
    expect(realmOf(realm, registry, endpointOf(registry, []), trusted).href).toBe(realm);
  });

  it.each<[string, string | undefined, string[], string]>([
    ['evil.example', 'https://ghcr.io/token', [], 'another host'],
    ['ghcr.io', 'https://evil.example/token', [], 'another host'],
    ['ghcr.io', 'https://ghcr.io.evil.example/token', [], 'another host'],
    ['ghcr.io', 'https://ghcr.io:444/token', [], 'another host'],
    ['ghcr.io', 'https://ghcr.io@evil.example/token', [], 'another host'],
    ['ghcr.io', 'https://auth.docker.io/token', [], 'another host'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5001/token', [], 'another host'],
    ['ghcr.io', 'http://ghcr.io/token', [], 'plain HTTP'],
    ['r.example', 'http://git.example/token', ['git.example'], 'plain HTTP'],
    ['ghcr.io', 'https://a:b@ghcr.io/token', [], 'credentials'],
    ['ghcr.io', 'token', [], 'no address'],
    ['ghcr.io', undefined, [], 'no address'],
  ])('%s may not send us to %s', (registry, realm, trusted, why) => {
    const wanted = () => realmOf(realm, registry, endpointOf(registry, []), trusted);
    expect(wanted).toThrow(
      expect.objectContaining({ code: 'registry-denied', message: expect.stringContaining(why) }),
    );
  });
});
