import { describe, expect, it } from 'vitest';
import { proxyFor } from '../../../src/http/proxy.ts';

const http = 'http://p:1';
const https = 'http://p:2';

describe('proxyFor', () => {
  it.each<[string, string | undefined, string | undefined]>([
    ['https://ghcr.io/', undefined, https],
    ['http://ghcr.io/', undefined, http],
    ['https://127.0.0.1:5000/', undefined, undefined],
    ['http://localhost/', undefined, undefined],
    ['http://[::1]:1/', undefined, undefined],
    ['https://ghcr.io/', '*', undefined],
    ['https://ghcr.io/', 'ghcr.io', undefined],
    ['https://ghcr.io/', 'GHCR.io', undefined],
    ['https://a.ghcr.io/', 'ghcr.io', undefined],
    ['https://notghcr.io/', 'ghcr.io', https],
    ['https://a.ghcr.io/', '.ghcr.io', undefined],
    ['https://ghcr.io/', '.ghcr.io', https],
    ['https://a.ghcr.io/', '*.ghcr.io', undefined],
    ['https://ghcr.io/', 'a.org, ghcr.io:443', undefined],
    ['https://ghcr.io:8443/', 'ghcr.io:443', https],
    ['https://10.1.2.3/', '10.0.0.0/8', undefined],
    ['https://11.1.2.3/', '10.0.0.0/8', https],
    ['https://10.1.2.3/', '10.1.2.3', undefined],
    ['https://10.1.2.30/', '10.1.2.3', https],
    ['https://10.1.2.3/', '10.0.0.0/99', https],
    ['https://[fd00::1]/', 'fd00::/8', undefined],
    ['https://[fd00::1]/', 'fd00::1', undefined],
    ['https://ghcr.io/', ' , ', https],
  ])('%s with NO_PROXY %s goes through %s', (url, no, expected) => {
    expect(proxyFor(new URL(url), { http, https, no })).toBe(expected);
  });

  it('takes an address without scheme, none at all, and no other kind', () => {
    const url = new URL('https://ghcr.io/');
    expect(proxyFor(url, { https: 'proxy:3128' })).toBe('http://proxy:3128');
    expect(proxyFor(url, {})).toBeUndefined();
    expect(proxyFor(url, { https: '' })).toBeUndefined();
    expect(proxyFor(url, { http })).toBeUndefined();
    const secret = () => proxyFor(url, { https: 'socks5://user:secret@p:1' });
    expect(secret).toThrow(
      expect.objectContaining({ code: 'setting-invalid', message: expect.not.stringContaining('secret') }),
    );
  });
});
