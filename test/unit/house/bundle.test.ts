import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
let folder: string;
let dist: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'knowngood-bundle-'));
  dist = join(folder, 'dist');
  // Fails where the bundle is over its limits.
  execFileSync(process.execPath, ['scripts/build.mjs', '--out', dist], { cwd: root, stdio: 'pipe' });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const texts = () =>
  readdirSync(dist, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.js'))
    .map((path) => readFileSync(join(dist, path), 'utf8'));

describe('the bundle', () => {
  it.each([
    ['undici, a second HTTP client', 'UND_ERR_'],
    ['ssh2, which is native code', 'sshcrypto'],
    ['debug, which writes logins of registries to stderr', 'process.env.DEBUG'],
    ["the table of GitHub's endpoints", '/marketplace_listing/stubbed/plans'],
  ])('holds nothing of %s', (_, sign) => {
    expect(texts().some((text) => text.includes(sign))).toBe(false);
  });

  it('is no larger than what jobs should have to download', () => {
    const bytes = readdirSync(dist, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + readFileSync(join(entry.parentPath, entry.name)).length, 0);
    expect(bytes).toBeLessThan(1_200_000);
    expect(readFileSync(join(dist, 'index.js')).length).toBeLessThan(60_000);
  });

  it.each([
    [['--help'], 'Usage:'],
    [['-h'], 'Usage:'],
    [['help'], 'Usage:'],
    [['build-push', '--help'], 'knowngood build-push'],
    [['release', '-h'], 'knowngood release'],
    [['build-pusch', '--help'], 'Did you mean "build-push"?'],
    [['--version'], '.'],
  ])('answers %j out of its entrypoint alone', (args, expected) => {
    const alone = join(folder, 'alone');
    mkdirSync(alone, { recursive: true });
    copyFileSync(join(dist, 'index.js'), join(alone, 'index.js'));
    writeFileSync(join(alone, 'package.json'), '{ "type": "module" }');
    const ran = spawnSync(process.execPath, [join(alone, 'index.js'), ...args], {
      encoding: 'utf8',
      env: {},
    });
    expect(ran.stderr).toBe('');
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain(expected);
  });

  it('leaves every other spelling to the steps', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(dist, 'index.js'), ...args], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
        cwd: folder,
      });
    expect(run('nonsense')).toMatchObject({ status: 2, stdout: expect.stringContaining('step-unknown') });
    expect(run('test', '--tiers', 'install', '--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('knowngood test'),
    });
    expect(run()).toMatchObject({ status: 2, stdout: expect.stringContaining('Usage:') });
  });

  it('has the terms and the notice of every package beside it', () => {
    const licences = readFileSync(join(dist, 'licenses.txt'), 'utf8');
    for (const sign of [
      'Permission is hereby granted, free of charge',
      'END OF TERMS AND CONDITIONS',
      'Copyright (c) 2019 Octokit contributors',
      'Copyright 2023 The Sigstore Authors',
      // Two licences in one file.
      'Copyright 2018 Zeit Inc.',
    ]) {
      expect(licences).toContain(sign);
    }
    for (const name of ['yaml', 'dockerode', 'semver', 'valibot', 'tar-stream'])
      expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });
});
