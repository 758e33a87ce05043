import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Ended, runBundle } from '../../../demo/workspace.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import {
  type GitServer,
  gitServer,
  makeBareCopy,
  makeRepository,
  type Repository,
} from '../../../sandbox/index.ts';
import type { SweepResult } from '../../../src/rules/sweep/result.ts';

/** A tiny recipe: its repository, and the remote that a sweep reads over HTTP. */
export interface FleetRecipe {
  readonly name: string;
  readonly repository: Repository;
  readonly image: string;
  /** Commits a version of it and publishes branch and tag; `tag: false` publishes the commit alone. */
  release(version: string, options?: { check?: string; tag?: boolean }): Promise<void>;
  push(...refs: string[]): Promise<void>;
}

/** A fleet of local recipes over smart HTTP, with a ledger of files. */
export interface FleetWorld {
  readonly root: string;
  readonly server: GitServer;
  readonly ledger: string;
  recipe(
    name: string,
    more?: { knowngood?: string; files?: Readonly<Record<string, string>> },
  ): Promise<FleetRecipe>;
  /** Writes fleet.yml over these entries, a JSON value each. */
  list(entries: readonly object[]): void;
  sweep(...args: string[]): Promise<Ended & { results: readonly SweepResult[] }>;
  run(...args: string[]): Promise<Ended>;
  /** What the last sweep left. */
  results(): readonly SweepResult[];
  /** A file of the fleet's workspace. */
  read(path: string): string;
  /** Every byte of the ledger. */
  ledgerBytes(): string;
  stop(): Promise<void>;
}

export async function makeFleet(box: Sandbox): Promise<FleetWorld> {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-fleet-'));
  const remotes = join(root, 'remotes');
  const workspace = join(root, 'fleet');
  const ledger = join(root, 'ledger');
  mkdirSync(remotes, { recursive: true });
  mkdirSync(workspace);
  const server = await gitServer(remotes);
  const base = await box.base('busybox');
  await box.tool('docker-compose');
  const env = { ...box.env, PATH: `${dirname(await box.tool('docker'))}:${box.env.PATH}` };
  const run = (...args: string[]): Promise<Ended> => runBundle(args, { cwd: workspace, env });
  const results = (): readonly SweepResult[] => {
    const file = join(workspace, 'knowngood-out', 'results.ndjson');
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const lines = text.split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as SweepResult);
  };
  return {
    root,
    server,
    ledger,
    run,
    async recipe(name, { knowngood = '', files = {} } = {}) {
      const repository = await makeRepository(join(root, 'authors', name));
      const image = `${box.registry.host}/fleet${process.pid}/${name}`;
      const remote = join(remotes, `${name}.git`);
      const write = (version: string, check: string): Readonly<Record<string, string>> => ({
        Dockerfile: `FROM ${base}\nCOPY version /version\nENTRYPOINT ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait; done"]\n`,
        version: `${version}\n`,
        'knowngood.yml': `image: ${image}\ntest:\n  check: { exec: "${check}" }\n${knowngood}`,
        ...files,
      });
      await repository.commit('begin', write('0', 'true'));
      await makeBareCopy(repository, remote);
      const push = async (...refs: string[]): Promise<void> => {
        await repository.git('push', '-q', '--force', remote, ...refs);
      };
      return {
        name,
        repository,
        image,
        push,
        release: async (version, { check = 'true', tag = true } = {}) => {
          await repository.commit(version, write(version, check));
          if (tag) await repository.tag(version);
          await push('main', ...(tag ? [version] : []));
        },
      };
    },
    list(entries) {
      // JSON is YAML.
      const fleet = { ledger: `file:${ledger}`, recipes: entries };
      writeFileSync(join(workspace, 'fleet.yml'), JSON.stringify(fleet, null, 1));
    },
    results,
    sweep: async (...args) => ({
      ...(await run('sweep', '--fleet', 'fleet.yml', ...args)),
      results: results(),
    }),
    read: (path) => readFileSync(join(workspace, path), 'utf8'),
    ledgerBytes: () => bytesOf(ledger),
    stop: () => server.stop(),
  };
}

function bytesOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`)
    .join('\n');
}
