import { describe, expect, it } from 'vitest';
import { allowedUrl, isLoopback, shownUrl } from '../../../src/http/origin.ts';

describe('allowedUrl', () => {
  const insecure = ['Registry.lan:5000', 'plain.lan'];

  it.each([
    'https://anything.example/x',
    'http://127.0.0.1:5000/v2/',
    'http://127.8.9.1/',
    'http://localhost:1/',
    'http://[::1]:1/',
    'http://registry.lan:5000/v2/',
    'http://plain.lan/',
  ])('allows %s', (url) => {
    expect(allowedUrl(url, insecure).href).toBe(url);
  });

  it.each([
    ['http://ghcr.io/', 'plain-http'],
    ['http://registry.lan/', 'plain-http'],
    ['http://registry.lan:5001/', 'plain-http'],
    ['http://x.registry.lan:5000/', 'plain-http'],
    ['http://localhost.evil.org/', 'plain-http'],
    ['http://127.0.0.1.evil.org/', 'plain-http'],
    ['http://128.0.0.1/', 'plain-http'],
    ['ftp://ghcr.io/', 'setting-invalid'],
    ['ghcr.io', 'setting-invalid'],
    ['', 'setting-invalid'],
    ['https://user:secret@ghcr.io/', 'setting-invalid'],
    ['https://secret@ghcr.io/', 'setting-invalid'],
  ])('refuses %s with %s, without showing a credential', (url, code) => {
    expect(() => allowedUrl(url, insecure)).toThrow(
      expect.objectContaining({ code, message: expect.not.stringContaining('secret') }),
    );
  });
});

it.each([
  ['127.0.0.1', true],
  ['localhost', true],
  ['[::1]', true],
  ['127.0.0.1.nip.io', false],
  ['10.0.0.1', false],
  ['localhost.', false],
])('isLoopback %s: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

it('shows no query, where signatures are', () => {
  expect(shownUrl('https://u:p@s3.example/b?X-Signature=secret#x')).toBe('https://s3.example/b');
});
