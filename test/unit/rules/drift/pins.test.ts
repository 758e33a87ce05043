import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../../src/oci/digest.ts';
import { formatReference } from '../../../../src/oci/reference.ts';
import { readPinFile } from '../../../../src/pins/read-file.ts';
import { checkPins, floats, type LookedAtPin, type OwnRelease } from '../../../../src/rules/drift/pins.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

const own: OwnRelease = {
  image: 'ghcr.io/acme/app',
  version: '2.0.0',
  digest: digest('a'),
  what: 'the known-good release',
  promoted: [
    { version: '1.0.0', digest: digest('1') },
    { version: '2.0.0', digest: digest('a') },
  ],
};

const here = { known: { digest: digest('a'), same: true } };
const moved = { known: { digest: digest('b'), same: false } };
const gone = { known: undefined };
const silent = { unanswered: 'ghcr.io did not answer.' };

function check(image: string, state: LookedAtPin['state'], release: OwnRelease | undefined = own) {
  const text = `services:\n  app:\n    image: ${image}\n`;
  const { pins } = readPinFile('compose.yml', Buffer.from(text), () => undefined);
  const looked = pins.map((pin) => ({ pin, state }));
  return checkPins({ pins: looked, unreadable: [], own: release === undefined ? [] : [release] });
}

const app = 'ghcr.io/acme/app';

describe('a pin of the own image', () => {
  it.each<[string, LookedAtPin['state'], string | undefined, string | undefined]>([
    [`${app}:2.0.0`, here, undefined, undefined],
    [`${app}:v2.0.0`, here, undefined, undefined],
    [`${app}:1.0.0`, here, 'pin-behind', `${app}:2.0.0`],
    [`${app}:v1.0.0`, here, 'pin-behind', `${app}:v2.0.0`],
    [`${app}:1.0.0@${digest('1')}`, here, 'pin-behind', `${app}:2.0.0@${digest('a')}`],
    // Nobody needs to ask a registry to know that it is old.
    [`${app}:1.0.0`, silent, 'pin-behind', `${app}:2.0.0`],
    [`${app}:3.0.0`, here, 'pin-ahead', `${app}:2.0.0`],
    [`${app}:3.0.0`, gone, 'pin-unknown-tag', undefined],
    [`${app}:3.0.0`, silent, 'cannot-determine', undefined],
    [`${app}:2.0.0`, gone, 'pin-unknown-tag', undefined],
    [`${app}:2.0.0`, silent, 'cannot-determine', undefined],
    [`${app}:2.0.0@${digest('c')}`, moved, 'pin-digest-stale', `${app}:2.0.0@${digest('a')}`],
    [`${app}:2.0.0@${digest('c')}`, here, undefined, undefined],
    [`${app}@${digest('a')}`, here, undefined, undefined],
    [`${app}@${digest('1')}`, here, 'pin-behind', `${app}:2.0.0@${digest('a')}`],
    [app, here, 'pin-floating', `${app}:2.0.0`],
    [`${app}:latest`, here, 'pin-floating', `${app}:2.0.0`],
    [`${app}:2`, here, 'pin-floating', `${app}:2.0.0`],
    [`${app}:dev`, gone, 'pin-unknown-tag', undefined],
  ])('%s, %j: %s', (image, state, code, replacement) => {
    const [found, ...more] = check(image, state);
    expect(more).toEqual([]);
    expect(found?.code).toBe(code);
    expect(found?.replacement).toBe(replacement);
    if (found !== undefined) expect(found.at).toEqual({ file: 'compose.yml', line: 3, column: 12 });
  });

  it('is compared with the version only where its service is built here', () => {
    const built = (tag: string) => {
      const text = `services:\n  app:\n    build: .\n    image: ${app}:${tag}\n`;
      const { pins } = readPinFile('compose.yml', Buffer.from(text), () => undefined);
      return checkPins({ pins: pins.map((pin) => ({ pin, state: gone })), unreadable: [], own: [own] });
    };
    expect(built('dev')).toEqual([]);
    expect(built('3.0.0')).toEqual([]);
    expect(built('1.0.0').map(({ code }) => code)).toEqual(['pin-behind']);
  });
});

describe('a pin of another image', () => {
  it.each<[string, LookedAtPin['state'], string | undefined]>([
    ['redis:7.4.1', here, undefined],
    ['redis:7.4.1', gone, 'pin-unknown-tag'],
    ['redis:7.4.1', silent, 'cannot-determine'],
    ['redis:7.4.1', 'not-asked', 'pin-unknown-host'],
    ['postgres:16', here, 'pin-floating'],
    ['postgres', here, 'pin-floating'],
    ['postgres', 'not-asked', 'pin-unknown-host'],
    [`postgres:16@${digest('c')}`, here, undefined],
    [`postgres:16@${digest('c')}`, moved, 'pin-digest-stale'],
    [`postgres@${digest('c')}`, gone, 'pin-unknown-tag'],
    // Its releases are not ours to judge.
    ['ghcr.io/acme/app-tools:1.0.0', here, undefined],
  ])('%s, %j: %s', (image, state, code) => {
    expect(check(image, state).map((one) => one.code)).toEqual(code === undefined ? [] : [code]);
  });

  it('an outage is told at the place of the pin', () => {
    expect(check('redis:7.4.1', silent)[0]).toMatchObject({
      code: 'cannot-determine',
      level: 'error',
      at: { file: 'compose.yml', line: 3 },
    });
  });

  it('is told once, however many services use its variable', () => {
    const text = 'services:\n  a: {image: "acme/x:${V}"}\n  b: {image: "acme/x:${V}"}\n';
    const { pins } = readPinFile('compose.yml', Buffer.from(text), (path) =>
      path === '.env' ? 'V=1\n' : undefined,
    );
    expect(pins.map(({ reference }) => formatReference(reference))).toEqual([
      'docker.io/acme/x:1',
      'docker.io/acme/x:1',
    ]);
    const found = checkPins({ pins: pins.map((pin) => ({ pin, state: gone })), unreadable: [], own: [] });
    expect(new Set(found.map(({ at }) => JSON.stringify(at))).size).toBe(1);
  });
});

describe('a tag that moves', () => {
  it.each(['latest', 'LATEST', '16', 'v3', '3.20', '20-bookworm', 'stable-slim', 'nightly', 'main'])(
    '%s',
    (tag) => expect(floats(tag)).toBe(true),
  );
  it.each([
    '16.4.1',
    '1.27.1-alpine',
    'RELEASE.2024-08-03T04-33-23Z',
    'ltsc2022',
    '20240803',
    'nonroot',
    'sha-0123',
  ])('%s does not', (tag) => expect(floats(tag)).toBe(false));
});
