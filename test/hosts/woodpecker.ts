import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Sandbox } from '../../sandbox/index.ts';
import { keepLog } from './kept-logs.ts';
import { hostProgram } from './programs.ts';

/** One pipeline as `woodpecker-cli exec` runs it, with what a server would tell about it. */
export interface WoodpeckerRun {
  readonly pipeline: string;
  readonly event: 'tag' | 'push' | 'pull_request' | 'cron' | 'manual';
  readonly ref: string;
  readonly sha: string;
  /** Clone URL as containers reach it. */
  readonly url: string;
  /** What the clone step would have made; `exec` has none. */
  readonly checkout: string;
  readonly secrets?: Readonly<Record<string, string>>;
  /** For every step. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface WoodpeckerEnd {
  readonly code: number;
  /** What the step's container wrote, without the line numbers that `exec` puts before each. */
  readonly log: string;
}

export interface RunningWoodpecker {
  readonly end: Promise<WoodpeckerEnd>;
  readonly log: () => string;
}

export function startWoodpecker(box: Sandbox, run: WoodpeckerRun): RunningWoodpecker {
  const folder = mkdtempSync(join(tmpdir(), 'knowngood-woodpecker-'));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const page = run.url.replace(/\.git$/, '');
  const [owner, name] = new URL(page).pathname.slice(1).split('/');
  const metadata = {
    repo: { owner, name, forge_url: page, clone_url: run.url, default_branch: 'main' },
    curr: {
      ...{ number: 7, event: run.event, forge_url: page, author: 'maintainer' },
      commit: { sha: run.sha, ref: run.ref, branch: 'main', author: { name: 'maintainer' } },
    },
    sys: { name: 'woodpecker', host: 'ci.example.org', url: 'https://ci.example.org', version: '3.17.0' },
  };
  const argv = [
    ...['exec', '--local', '--repo-path', run.checkout, '--backend-engine', 'docker'],
    ...['--repo-trusted-volumes', '--metadata-file', file('metadata.json', JSON.stringify(metadata))],
    ...['--secrets-file', file('secrets.yml', stringify(run.secrets ?? {}))],
    ...Object.entries(run.env ?? {}).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    file('pipeline.yml', run.pipeline),
  ];
  const child = spawn(hostProgram('woodpecker-cli')!.path, argv, {
    cwd: folder,
    env: { ...process.env, ...box.env, HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const log = (): string => output.replaceAll(/^\[[^\]]+:L\d+:\d+s\] /gm, '');
  const end = new Promise<WoodpeckerEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      keepLog('woodpecker', output);
      resolve({ code: code ?? 128, log: log() });
    });
  });
  return { end, log };
}
