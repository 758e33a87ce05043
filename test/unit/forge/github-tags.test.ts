import { schema } from '@octokit/graphql-schema';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { githubTags, onGithub, tagsQuery } from '../../../src/forge/github-tags.ts';
import type { Http, HttpRequest } from '../../../src/http/http.ts';
import { Failure } from '../../../src/outcome.ts';

it('the query is one of GitHub’s published schema', () => {
  // GitHub's own file names two fields twice.
  const published = buildSchema(schema.idl, { assumeValidSDL: true });
  expect(validate(published, parse(tagsQuery(100)))).toEqual([]);
  expect(validate(published, parse(tagsQuery(1).replace('oid', 'ooid')))).not.toEqual([]);
});

describe('whose token is shown to GitHub', () => {
  const addresses = [
    'https://github.com/acme/notes',
    'https://github.com/acme/app.git',
    'https://user:secret@github.com/acme/own',
    'https://github.com.evil.example/acme/notes',
    'https://git.example.org/acme/notes',
    'https://github.com/acme/notes/tree/main',
    'git@github.com:acme/ssh.git',
    './folder',
  ];
  it.each<[string, { home: string | undefined; forgeUrl: string | undefined }, string | undefined, string[]]>(
    [
      [
        'a fleet on github.com',
        { home: 'https://github.com/acme/fleet', forgeUrl: undefined },
        'https://api.github.com/graphql',
        addresses.slice(0, 2),
      ],
      [
        'a fleet on another forge',
        { home: 'https://git.example.org/acme/fleet', forgeUrl: undefined },
        undefined,
        [],
      ],
      [
        'a fleet on a host that only looks like it',
        { home: 'https://github.com.evil.example/a/b', forgeUrl: undefined },
        undefined,
        [],
      ],
      ['a terminal', { home: undefined, forgeUrl: undefined }, undefined, []],
      [
        'a server of its own',
        { home: undefined, forgeUrl: 'https://git.example.org/api/v3' },
        'https://git.example.org/api/graphql',
        addresses.slice(4, 5),
      ],
      [
        '`forge-url` before the fleet’s own host',
        { home: 'https://github.com/acme/fleet', forgeUrl: 'https://codeberg.org' },
        undefined,
        [],
      ],
    ],
  )('%s', (_name, from, url, expected) => {
    const known = onGithub(addresses, from);
    expect(known?.url).toBe(url);
    expect([...(known?.repositories.keys() ?? [])]).toEqual(expected);
  });
});

/** A GitHub that answers with these repositories, by name; records what it was asked. */
function double(repositories: Readonly<Record<string, unknown>>, status = 200) {
  const asked: HttpRequest[] = [];
  const request = async (given: HttpRequest) => {
    asked.push(given);
    const { variables } = JSON.parse(String(given.body)) as { variables: Record<string, string> };
    const data = Object.fromEntries(
      Object.entries(variables).flatMap(([key, name]) =>
        key.startsWith('n') ? [[`r${key.slice(1)}`, repositories[name] ?? null]] : [],
      ),
    );
    return { ok: status === 200, status, json: () => ({ data, errors: [{ type: 'NOT_FOUND' }] }) };
  };
  return { asked, http: { request } as unknown as Http };
}

const id = (digit: string): string => digit.repeat(40);
const tag = (name: string, target: object) => ({ name, target });
const refs = (nodes: object[], hasNextPage = false) => ({ refs: { pageInfo: { hasNextPage }, nodes } });
const commit = (digit: string) => ({ __typename: 'Commit', oid: id(digit) });

async function tagsOf(http: Http, names: readonly string[]) {
  const told: string[] = [];
  const repositories = new Map(
    names.map((name) => [`https://github.com/acme/${name}`, { owner: 'acme', name }]),
  );
  const found = await githubTags({
    http,
    url: 'https://api.github.com/graphql',
    repositories,
    token: 'token',
    signal: new AbortController().signal,
    tell: (text) => told.push(text),
  });
  return { found, told };
}

describe('tags of many repositories', () => {
  it('come a hundred repositories a request', async () => {
    const names = Array.from({ length: 1000 }, (_, n) => `app${n}`);
    const { http, asked } = double(
      Object.fromEntries(names.map((name) => [name, refs([tag('1.0.0', commit('a'))])])),
    );
    const { found } = await tagsOf(http, names);
    expect(asked).toHaveLength(10);
    expect(found.size).toBe(1000);
    expect(new Set(asked.map(({ url, authorization }) => `${url} ${authorization}`))).toEqual(
      new Set(['https://api.github.com/graphql Bearer token']),
    );
  });

  it('are peeled, and of what cannot be told here git is asked', async () => {
    const { http } = double({
      plain: refs([tag('1.0.0', commit('a'))]),
      annotated: refs([tag('1.0.0', { __typename: 'Tag', oid: id('b'), target: commit('c') })]),
      nested: refs([
        tag('1.0.0', { __typename: 'Tag', oid: id('b'), target: { __typename: 'Tag', oid: id('d') } }),
      ]),
      many: refs([tag('1.0.0', commit('a'))], true),
      damaged: refs([tag('1.0.0', { __typename: 'Commit', oid: 'main' })]),
      none: refs([]),
    });
    const { found } = await tagsOf(http, ['plain', 'annotated', 'nested', 'many', 'damaged', 'none', 'gone']);
    expect([...found.keys()].map((address) => address.split('/').at(-1))).toEqual([
      'plain',
      'annotated',
      'none',
    ]);
    expect(found.get('https://github.com/acme/annotated')?.get('1.0.0')).toEqual({
      object: id('b'),
      commit: id('c'),
    });
  });

  it.each([401, 403, 502])('a server that answers %i is no reason to stop', async (status) => {
    const { found, told } = await tagsOf(double({}, status).http, ['a']);
    expect(found.size).toBe(0);
    expect(told.join()).toContain(String(status));
  });

  it('a cancellation is', async () => {
    const http = { request: () => Promise.reject(new Failure('cancelled')) } as unknown as Http;
    await expect(tagsOf(http, ['a'])).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('names go in as variables: none can be part of the query', async () => {
    const { http, asked } = double({});
    await tagsOf(http, ['x"){viewer{login}}#']);
    expect((JSON.parse(String(asked[0]!.body)) as { query: string }).query).not.toContain('viewer');
  });
});
