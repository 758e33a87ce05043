import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeRepository, sandbox } from '../../../sandbox/index.ts';
import { tagDigest } from './registry.ts';

// dockerode was seen to work from its sources and to fail bundled: what users run is played here.
const box = await sandbox();
const from = await box.base('busybox');
const dist = mkdtempSync(join(tmpdir(), 'kg-dist-'));
let number = 0;

beforeAll(async () => {
  const script = new URL('../../../scripts/build.mjs', import.meta.url).href;
  const { bundle } = (await import(script)) as { bundle(folder: string): Promise<unknown> };
  await bundle(dist);
  writeFileSync(join(dist, 'package.json'), '{ "type": "module" }\n');
});

const event = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/events/${name}.json`, import.meta.url), 'utf8')) as {
    env: Record<string, string>;
    payload?: unknown;
  };

async function step(host: 'github' | 'drone', dockerfile: string, settings: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'kg-bundle-'));
  const workspace = join(root, 'app');
  const repository = await makeRepository(workspace);
  await repository.commit('one', { Dockerfile: dockerfile, 'a.txt': 'a\n' });
  await repository.tag('1.0.0');
  const commit = await repository.git('rev-parse', 'HEAD');
  const image = `${box.registry.host}/bundled/app-${process.pid}-${number++}`;
  const given = {
    step: 'label, build-push',
    image,
    recipe: 'app',
    repository: workspace,
    ledger: `file:${join(root, 'ledger')}`,
    ...settings,
  };
  const { env, payload } = event(host === 'github' ? 'github-tag' : 'drone-tag');
  writeFileSync(join(root, 'event.json'), JSON.stringify(payload ?? {}));
  const files = Object.fromEntries(
    ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY', 'GITHUB_STATE', 'GITHUB_ENV', 'GITHUB_PATH'].map((name) => {
      writeFileSync(join(root, name), '');
      return [name, join(root, name)] as const;
    }),
  );
  const hosts = {
    github: {
      ...files,
      GITHUB_EVENT_PATH: join(root, 'event.json'),
      GITHUB_WORKSPACE: workspace,
      GITHUB_REF: 'refs/tags/1.0.0',
      GITHUB_REF_NAME: '1.0.0',
      GITHUB_SHA: commit,
    },
    drone: {
      DRONE_TAG: '1.0.0',
      DRONE_COMMIT_SHA: commit,
      DRONE_COMMIT_REF: 'refs/tags/1.0.0',
      DRONE_WORKSPACE: workspace,
    },
  };
  const inputs = Object.entries(given).map(([name, value]) => [
    host === 'github' ? `INPUT_${name.toUpperCase()}` : `PLUGIN_${name.toUpperCase().replaceAll('-', '_')}`,
    value,
  ]);
  const child = spawn(process.execPath, [join(dist, 'index.js')], {
    cwd: workspace,
    env: { ...box.env, HOME: root, ...env, ...hosts[host], ...Object.fromEntries(inputs) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const lines = output.trimEnd().split('\n');
  return { code, output, lines, image, stage: `sha-${commit.slice(0, 12)}`, files };
}

describe.each(['github', 'drone'] as const)('the bundle on %s', (host) => {
  it('builds, shows each step and what it said, and pushes', async () => {
    const end = await step(host, `FROM ${from}\nRUN echo "hällo"; echo "::error::not ours"\nCOPY a.txt /\n`, {
      'no-cache': 'true',
    });
    expect(end.code, end.output).toBe(0);
    expect(end.lines.at(-1)).toBe('knowngood: build-push done built');
    expect(end.output).toMatch(/^(?:::group::)?\[2\/3\] RUN echo .* {2}\d+\.\d s$/m);
    expect(end.output).toMatch(/^ *hällo$/m);
    expect(end.output).toMatch(/^\[3\/3\] COPY a.txt \/ {2}\d+\.\d s$/m);
    expect(end.output).toMatch(/^ {2}source {5}built$/m);
    const digest = await tagDigest(end.image, end.stage);
    expect(end.output).toContain(`${end.image}@${digest}`);
    if (host === 'github') {
      // What a build says is no command to the runner.
      expect(end.output).toMatch(
        /^::stop-commands::(\S+)\n(?:hällo\n)?::error::not ours\n(?:hällo\n)?\n::\1::$/m,
      );
      expect(readFileSync(end.files.GITHUB_OUTPUT!, 'utf8')).toContain(String(digest));
      expect(readFileSync(end.files.GITHUB_STEP_SUMMARY!, 'utf8')).toContain('build-push: done `built`');
    }
  });

  it('says once where a build failed, and how', async () => {
    const end = await step(host, `FROM ${from}\n\nRUN echo some words; exit 3\n`);
    expect(end.code).toBe(2);
    expect(end.lines.at(-1)).toBe('knowngood: build-push error build-failed');
    const errors = end.lines.filter((line) => /^(?:::error |error: )/.test(line));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(
      'Dockerfile:3 build-failed: The build failed at Dockerfile:3: RUN echo some words',
    );
    expect(end.output).toMatch(/(?:%0A|\n) *It ended with exit code 3\./);
    expect(end.output).toMatch(/Last lines:(?:%0A|\n) *some words/);
  });
});

it('holds nothing of what dockerode brings for sessions and ssh', () => {
  const code = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'utf8'))
    .join('\n');
  expect(/sshcrypto|moby\.filesync|SSH-2\.0-|grpc-accept-encoding/.exec(code)).toBeNull();
});
