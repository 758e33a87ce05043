import { describe, expect, it } from 'vitest';
import { type Hop, isRedirect, nextHop } from '../../../src/http/redirect.ts';

const rules = { insecure: ['plain.lan:5000'], code: 'answer-invalid' } as const;
const hop = (url: string, more: Partial<Hop> = {}): Hop => ({
  url: new URL(url),
  method: 'GET',
  headers: { accept: 'a/b', 'user-agent': 'k', range: 'bytes=0-', cookie: 'c', 'x-token': 't' },
  authorization: 'Bearer secret',
  ...more,
});

describe('nextHop', () => {
  it.each(['/b', 'https://r.example/b', '//r.example/b', 'b', 'https://r.example:443/b'])(
    'keeps everything within the origin: %s',
    (location) => {
      const from = hop('https://r.example/a');
      expect(nextHop(307, location, from, rules)).toEqual({ ...from, url: new URL('https://r.example/b') });
    },
  );

  it.each([
    'https://cdn.example/b',
    'https://r.example:444/b',
    'https://r.example.evil.org/b',
    '//evil.org/b',
  ])('drops credentials and all that could be one on the way to %s', (location) => {
    const next = nextHop(307, location, hop('https://r.example/a'), rules);
    expect(next).toEqual({
      url: new URL(location, 'https://r.example/a'),
      method: 'GET',
      headers: { accept: 'a/b', 'user-agent': 'k', range: 'bytes=0-' },
    });
  });

  it('never gives credentials back on the way home', () => {
    const away = nextHop(302, 'https://cdn.example/b', hop('https://r.example/a'), rules);
    const home = nextHop(302, 'https://r.example/c', away, rules);
    expect(home.authorization).toBeUndefined();
    expect(home.headers).not.toHaveProperty('x-token');
  });

  it.each<[string, number, string, string, Partial<Hop>]>([
    ['from https to http', 307, 'https://r.example/a', 'http://plain.lan:5000/b', {}],
    ['to plain HTTP elsewhere', 307, 'http://127.0.0.1:1/a', 'http://other.lan/b', {}],
    ['to this machine', 307, 'https://r.example/a', 'https://127.0.0.1/b', {}],
    ['to this machine by another spelling', 307, 'https://r.example/a', 'https://0x7f.1/b', {}],
    ['to this machine by name', 307, 'https://r.example/a', 'https://localhost/b', {}],
    ['to this machine by IPv6', 307, 'https://r.example/a', 'https://[::1]/b', {}],
    ['to this machine with a dot', 307, 'https://r.example/a', 'https://localhost./b', {}],
    ['to this machine by zero', 307, 'https://r.example/a', 'https://0/b', {}],
    ['to this machine by mapped IPv6', 307, 'https://r.example/a', 'https://[::ffff:127.0.0.1]/b', {}],
    ['to no address', 307, 'https://r.example/a', 'https://', {}],
    ['to a file', 307, 'https://r.example/a', 'file:///etc/passwd', {}],
    ['to credentials', 307, 'https://r.example/a', 'https://u:p@cdn.example/b', {}],
    ['a PUT to another origin', 307, 'https://r.example/a', 'https://cdn.example/b', { method: 'PUT' }],
    ['a POST that would become a GET', 302, 'https://r.example/a', '/b', { method: 'POST' }],
  ])('refuses %s', (_, status, url, location, more) => {
    expect(() => nextHop(status, location, hop(url, more), rules)).toThrow(
      expect.objectContaining({ code: 'answer-invalid' }),
    );
  });

  it('follows a PUT within the origin', () => {
    expect(nextHop(308, '/b', hop('https://r.example/a', { method: 'PUT' }), rules).method).toBe('PUT');
  });
});

describe('isRedirect', () => {
  it.each<[number, string | undefined, boolean]>([
    [301, '/', true],
    [307, '/', true],
    [307, undefined, false],
    [304, '/', false],
    [201, '/', false],
  ])('%i %s', (status, location, expected) => {
    expect(isRedirect(status, location)).toBe(expected);
  });
});
