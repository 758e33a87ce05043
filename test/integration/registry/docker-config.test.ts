import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { credentialsFrom } from '../../../src/registry/credentials.ts';
import { dockerConfigCredentials } from '../../../src/registry/docker-config.ts';

// Helpers are programs: these are real ones, small shell scripts.
const folder = mkdtempSync(join(tmpdir(), 'docker-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
function credentials(config: unknown, helpers: Readonly<Record<string, string>> = {}) {
  const place = mkdtempSync(join(folder, `${count++}-`));
  const file = join(place, 'config.json');
  if (config !== undefined) writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  for (const [name, script] of Object.entries(helpers)) {
    const path = join(place, `docker-credential-${name}`);
    // What it was called with is kept beside it.
    writeFileSync(path, `#!/bin/sh\nread server\nprintf '%s|%s' "$*" "$server" > "$0.asked"\n${script}\n`);
    chmodSync(path, 0o755);
  }
  const look = dockerConfigCredentials({ file, env: { PATH: `${place}:${process.env.PATH}` } });
  return {
    look,
    asked: (name: string) => readFileSync(join(place, `docker-credential-${name}.asked`), 'utf8'),
  };
}
const auth = (text: string) => Buffer.from(text).toString('base64');
const says = (value: unknown) => `printf '%s' '${JSON.stringify(value)}'`;

describe('a Docker config file', () => {
  it.each<[string, unknown, string, object | undefined]>([
    [
      'holds a password',
      { auths: { 'ghcr.io': { auth: auth('u:p') } } },
      'ghcr.io',
      { username: 'u', password: 'p' },
    ],
    [
      'with a colon in it',
      { auths: { 'ghcr.io': { auth: auth('u:p:q') } } },
      'ghcr.io',
      { username: 'u', password: 'p:q' },
    ],
    [
      'in plain fields',
      { auths: { 'ghcr.io': { username: 'u', password: 'p' } } },
      'ghcr.io',
      { username: 'u', password: 'p' },
    ],
    [
      'padded with zeros',
      { auths: { 'ghcr.io': { auth: auth('u:p\0\0') } } },
      'ghcr.io',
      { username: 'u', password: 'p' },
    ],
    [
      'under an address',
      { auths: { 'https://ghcr.io/v2/': { auth: auth('u:p') } } },
      'ghcr.io',
      { username: 'u', password: 'p' },
    ],
    [
      'of Docker Hub',
      { auths: { 'https://index.docker.io/v1/': { auth: auth('u:p') } } },
      'docker.io',
      { username: 'u', password: 'p' },
    ],
    [
      'with a port',
      { auths: { 'r.lan:5000': { auth: auth('u:p') } } },
      'r.lan:5000',
      { username: 'u', password: 'p' },
    ],
    [
      'or an identity token',
      { auths: { 'r.lan': { auth: auth('00000000-0000-0000-0000-000000000000:'), identitytoken: 'id' } } },
      'r.lan',
      { username: '00000000-0000-0000-0000-000000000000', password: '', identityToken: 'id' },
    ],
    [
      'or a bearer token',
      { auths: { 'r.lan': { registrytoken: 'rt' } } },
      'r.lan',
      { username: '', password: '', registryToken: 'rt' },
    ],
    [
      'of exactly that host: not of its port',
      { auths: { 'r.lan': { auth: auth('u:p') } } },
      'r.lan:5000',
      undefined,
    ],
    ['not of a subdomain', { auths: { 'r.lan': { auth: auth('u:p') } } }, 'x.r.lan', undefined],
    [
      'not of a longer name',
      { auths: { 'ghcr.io': { auth: auth('u:p') } } },
      'ghcr.io.evil.example',
      undefined,
    ],
    [
      'not of a path that looks like it',
      { auths: { 'evil.example/ghcr.io': { auth: auth('u:p') } } },
      'ghcr.io',
      undefined,
    ],
    ['not an empty entry', { auths: { 'ghcr.io': {} } }, 'ghcr.io', undefined],
    ['not of an empty file object', {}, 'ghcr.io', undefined],
    ['not where there is none', undefined, 'ghcr.io', undefined],
  ])('%s', async (_, config, host, expected) => {
    expect(await credentials(config).look(host)).toEqual(expected);
  });

  it.each([
    ['no JSON', '{"auths":{"ghcr.io":{"auth":"secret-text', 'no JSON'],
    ['no base64 of a pair', { auths: { 'ghcr.io': { auth: auth('secret-text') } } }, 'base64'],
  ])('that is %s is an error, without its content', async (_, config, why) => {
    const failure = await credentials(config)
      .look('ghcr.io')
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'credentials-unreadable', message: expect.stringContaining(why) });
    expect(String(failure)).not.toContain('secret-text');
  });

  it('is not read before it is asked', async () => {
    const look = dockerConfigCredentials({ file: folder, env: {} });
    await expect(look('ghcr.io')).rejects.toMatchObject({
      code: 'credentials-unreadable',
      message: expect.stringContaining('EISDIR'),
    });
  });
});

describe('a credential helper', () => {
  it('of the host is asked, by argv `get` and the host on stdin', async () => {
    const { look, asked } = credentials(
      { credHelpers: { 'ghcr.io': 'one' }, credsStore: 'two' },
      {
        one: says({ ServerURL: 'ghcr.io', Username: 'u', Secret: 'p' }),
        two: 'exit 3',
      },
    );
    expect(await look('ghcr.io')).toEqual({ username: 'u', password: 'p' });
    expect(asked('one')).toBe('get|ghcr.io');
  });

  it('of all hosts is asked for the rest; Docker Hub has its old name', async () => {
    const { look, asked } = credentials(
      { credsStore: 'two', auths: { 'https://r.lan/v1/': {} } },
      { two: says({ Username: '<token>', Secret: 'refresh' }) },
    );
    expect(await look('docker.io')).toEqual({ username: '', password: '', identityToken: 'refresh' });
    expect(asked('two')).toBe('get|https://index.docker.io/v1/');
    await look('r.lan');
    expect(asked('two')).toBe('get|https://r.lan/v1/');
  });

  it('that has none leaves it to the file', async () => {
    const none = 'echo "credentials not found in native keychain"; exit 1';
    const { look } = credentials(
      { credsStore: 'two', auths: { 'ghcr.io': { auth: auth('u:p') } } },
      { two: none },
    );
    expect(await look('ghcr.io')).toEqual({ username: 'u', password: 'p' });
    expect(await look('quay.io')).toBeUndefined();
  });

  it.each([
    ['fails', { credsStore: 'two' }, { two: 'echo secret-text; exit 1' }, 'failed'],
    ['is missing', { credsStore: 'nowhere' }, {}, 'could not be started'],
    ['talks nonsense', { credsStore: 'two' }, { two: 'echo secret-text' }, 'JSON'],
    ['has a path as its name', { credsStore: '../../bin/sh' }, {}, 'no valid credential helper'],
    ['has an option as its name', { credHelpers: { 'ghcr.io': '-x' } }, {}, 'no valid credential helper'],
    ['floods us', { credsStore: 'two' }, { two: 'yes secret-text' }, 'failed'],
  ])('that %s is an error: whether there is a login stays unknown', async (_, config, helpers, why) => {
    const failure = await credentials(config, helpers)
      .look('ghcr.io')
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'credentials-unreadable',
      outcome: 'error',
      message: expect.stringContaining(why),
    });
    expect(String(failure)).not.toContain('secret-text');
  });
});

describe('credentialsFrom', () => {
  it('prefers settings, by host, and asks the others once', async () => {
    let asked = 0;
    const other = async (host: string) => {
      asked++;
      return host === 'quay.io' ? { username: 'o', password: 'o' } : undefined;
    };
    const look = credentialsFrom(
      new Map([
        ['https://index.docker.io/v1/', { username: 'd', password: 'd' }],
        ['ghcr.io', { username: 'g', password: 'g' }],
        ['quay.io', { username: '', password: '' }],
      ]),
      other,
    );
    expect(await look('docker.io')).toEqual({ username: 'd', password: 'd' });
    expect(await look('ghcr.io')).toEqual({ username: 'g', password: 'g' });
    expect(asked).toBe(0);
    expect([await look('quay.io'), await look('quay.io')]).toEqual([
      { username: 'o', password: 'o' },
      { username: 'o', password: 'o' },
    ]);
    expect(await look('ghcr.io.evil.example')).toBeUndefined();
    expect(asked).toBe(2);
  });
});
