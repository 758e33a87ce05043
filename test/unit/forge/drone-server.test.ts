import { describe, expect, it } from 'vitest';
import { droneServer } from '../../../src/forge/drone-server.ts';
import type { Http, HttpRequest, HttpResponse } from '../../../src/http/http.ts';

const asked: HttpRequest[] = [];

/** Answers every request with this JSON, and remembers it. */
function http(answer: unknown): Http {
  return {
    request: async (request: HttpRequest) => {
      asked.push(request);
      return { ok: true, status: 200, json: () => answer } as HttpResponse;
    },
    describe: () => '',
  } as unknown as Http;
}

const server = (answer: unknown = { number: 1, status: 'pending' }) =>
  droneServer({
    http: http(answer),
    url: 'https://drone.example.org/',
    token: 't',
    signal: new AbortController().signal,
  });

const start = (parameters: Record<string, string>, slug = 'acme/notes') =>
  server().start({ slug, branch: 'main', parameters });

describe('starting a build', () => {
  it.each([
    ['another name', { commit: 'x' }],
    ['a name that is none of ours', { DRONE_COMMIT: 'x' }],
    ['a lower-case name', { KNOWNGOOD_arg: 'x' }],
    ['a name with more behind it', { 'KNOWNGOOD_A&commit': 'x' }],
    ['a value with a blank', { KNOWNGOOD_A: 'x y' }],
    ['a value of a shell', { KNOWNGOOD_A: '$(id)' }],
    ['a value with a line end', { KNOWNGOOD_A: 'x\ny' }],
    ['an empty value', { KNOWNGOOD_A: '' }],
    ['an endless value', { KNOWNGOOD_A: 'x'.repeat(257) }],
  ])('refuses %s before anything is asked', async (_, parameters) => {
    asked.length = 0;
    await expect(start(parameters as Record<string, string>)).rejects.toMatchObject({
      code: 'setting-invalid',
    });
    expect(asked).toEqual([]);
  });

  it.each(['acme', 'acme/notes/x', 'acme/..', '../notes', 'acme/no tes', 'acme/notes?commit=x'])(
    'refuses the repository %s',
    async (slug) => {
      await expect(start({}, slug)).rejects.toMatchObject({ code: 'setting-invalid' });
    },
  );

  it('takes no answer that is no build', async () => {
    for (const answer of [null, [], {}, { number: '1', status: 'pending' }, { number: 1 }])
      await expect(server(answer).build('acme/notes', 1)).rejects.toMatchObject({ code: 'forge-failed' });
  });
});

describe('a page of a build', () => {
  it.each([
    ['https://drone.example.org/acme/notes/41', 41],
    ['https://drone.example.org/acme/notes/41/1/2', undefined],
    ['https://drone.example.org/acme/other/41', undefined],
    ['https://evil.example/acme/notes/41', undefined],
    ['https://drone.example.org.evil.example/acme/notes/41', undefined],
    [undefined, undefined],
  ])('%s is build %s', (page, number) => {
    expect(server().numberOf('acme/notes', page)).toBe(number);
  });
});
