import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import { openBareRepository } from '../../../src/git/commit.ts';
import { parseRemote } from '../../../src/git/remote.ts';
import { systemClock } from '../../../src/http/clock.ts';
import { gitStore } from '../../../src/ledger/git.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { CanonicalRecord } from '../../../src/ledger/record.ts';
import { ledgerOver } from '../../../src/ledger/records.ts';
import { ourGit, type Repository, repository, temporaryFolder } from '../git/repository.ts';
import { intent, record } from '../ledger/records.ts';

/** A compose recipe whose version stands in a label, as Co-op Cloud writes them. */
export function composeFile(version: string, comment = ''): string {
  return [
    `# ${comment}`,
    'services:',
    '  app:',
    '    image: ghcr.io/plausible/community-edition:v2.0.0',
    '    deploy:',
    '      labels:',
    '        - "coop-cloud.${STACK_NAME}.chaos-version=true"',
    `        - "coop-cloud.\${STACK_NAME}.version=${version}"`,
    '',
  ].join('\n');
}

export interface World {
  readonly server: GitServer;
  /** The author's repository; its remote `origin` is the one that is served. */
  readonly author: Repository;
  /** `http://127.0.0.1:<port>/acme/plausible.git` */
  readonly url: string;
  readonly commits: {
    /** Of every tag. */
    readonly tags: Readonly<Record<string, string>>;
    readonly tip: string;
    readonly head: string;
    readonly merge: string;
  };
  readonly ledger: Ledger;
  /** Makes a tag the canonical of recipe `plausible`. */
  promote(tag: string, more?: Partial<CanonicalRecord>): Promise<void>;
  /** A fresh checkout, as CIs make it: one commit, no tags, detached. */
  checkout(commit: string): string;
  stop(): Promise<void>;
}

/** The tags of the real recipe: 3.0.0 does not start on amd64, 3.0.1 is out, 1.13.4_1 is of the scheme before. */
export const mainTags = ['1.13.4_1', '2.0.0+v1.5.1', '2.1.0+v1.5.1', '3.0.0+v2.0.0', '3.0.1+v2.0.0'];

/**
 * A repository served over smart HTTP: the releases of plausible on main, annotated tags among them, an untagged
 * commit after them, a maintenance branch with a newer tag, and pull request 12 with its merge.
 */
export async function makeWorld(knowngood = 'recipe: plausible\n'): Promise<World> {
  const root = temporaryFolder('knowngood-world-');
  const place = join(root, 'acme', 'plausible.git');
  mkdirSync(place, { recursive: true });
  const bare = repository(place, { bare: true });
  bare.git('config', 'uploadpack.allowFilter', 'true');
  bare.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  const author = repository();
  author.git('remote', 'add', 'origin', place);
  const tags: Record<string, string> = {};
  for (const [index, tag] of mainTags.entries()) {
    tags[tag] = author.commit({ 'compose.yml': composeFile(tag), 'knowngood.yml': knowngood }, tag);
    author.git('tag', ...(index % 2 === 0 ? [] : ['-a', '-m', tag]), tag);
  }
  author.git('checkout', '-q', '-b', 'next');
  tags['4.0.0+v3.0.0'] = author.commit({ 'compose.yml': composeFile('4.0.0+v3.0.0') }, 'next');
  author.git('tag', '4.0.0+v3.0.0');
  author.git('checkout', '-q', 'main');
  const tip = author.commit({ 'README.md': 'one more word\n' }, 'docs');
  author.git('checkout', '-q', '-b', 'topic', tags['3.0.1+v2.0.0']!);
  const head = author.commit({ 'compose.yml': composeFile('3.0.1+v2.0.0', 'changed') }, 'a pull request');
  author.git('checkout', '-q', '--detach', tip);
  author.git('merge', '-q', '--no-ff', '-m', 'merge', head);
  const merge = author.git('rev-parse', 'HEAD');
  author.git('push', '-q', 'origin', 'main', 'next', '--tags');
  author.git('push', '-q', 'origin', `${head}:refs/pull/12/head`, `${merge}:refs/pull/12/merge`);
  author.git('checkout', '-q', 'main');

  const server = await gitServer(root);
  const url = `${server.url}/acme/plausible.git`;
  const ledger = ledgerOver(
    gitStore({
      address: `git:${url}#knowngood`,
      branch: 'knowngood',
      open: () => openBareRepository(ourGit(), parseRemote(url, { insecureHosts: [], folder: '/' })),
      waiting: systemClock,
    }),
  );
  return {
    server,
    author,
    url,
    commits: { tags, tip, head, merge },
    ledger,
    promote: async (tag, more = {}) => {
      await ledger.init();
      const view = await ledger.read('plausible');
      const next = record('plausible', tag, view.record(), {
        commit: tags[tag]!,
        subject: { kind: 'compose', images: { app: 'ghcr.io/plausible/community-edition@sha256:0' } },
        ...more,
      });
      const lock = intent(tag, next.sequence, Date.now() + 60_000);
      await ledger.takeIntent('plausible', lock, { revision: view.revision });
      if ((await ledger.commit('plausible', next, { nonce: lock.nonce })) !== 'written')
        throw new Error('lost');
    },
    checkout: (commit) => {
      const work = repository(join(mkdirSync(join(temporaryFolder(), 'plausible'), { recursive: true })!));
      // From the disk: this process serves the address itself, and cannot wait for it.
      work.git('fetch', '-q', '--depth=1', '--no-tags', `file://${place}`, commit);
      work.git('remote', 'add', 'origin', url);
      work.git('checkout', '-q', '--detach', 'FETCH_HEAD');
      return work.folder;
    },
    stop: () => server.stop(),
  };
}

/** A recorded event of a host, moved to this world: its commits, tag, pull request and addresses are ours. */
export function eventIn(world: World, name: string, at: { commit: string; tag?: string }) {
  const text = readFileSync(new URL(`../../fixtures/events/${name}.json`, import.meta.url), 'utf8')
    .replaceAll('1f0e2d3c4b5a69788796a5b4c3d2e1f001234567', at.commit)
    .replaceAll('89abcdef0123456789abcdef0123456789abcdef', world.commits.head)
    .replaceAll('1.2.3', at.tag ?? '3.0.1+v2.0.0')
    .replaceAll('"https://github.com"', JSON.stringify(world.server.url))
    .replaceAll('https://git.example.org', world.server.url)
    .replaceAll(/acme\/hedgedoc/gi, 'acme/plausible');
  const { env, payload } = JSON.parse(text) as { env: Record<string, string>; payload?: unknown };
  if (payload === undefined) return env;
  const path = join(mkdtempSync(join(tmpdir(), 'knowngood-event-')), 'event.json');
  writeFileSync(path, JSON.stringify(payload));
  return { ...env, GITHUB_EVENT_PATH: path };
}

/** One digest over every byte and mode of a folder but `knowngood-out`: equal means untouched. */
export function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).sort((a, b) =>
    join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
  )) {
    const path = join(entry.parentPath, entry.name);
    if (path.includes('/knowngood-out')) continue;
    const { mode } = statSync(path);
    hash.update(`${path}\0${mode}\0`);
    if (entry.isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}
