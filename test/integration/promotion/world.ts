import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Image, makeImage, pushImage } from '../../../sandbox/image.ts';
import { openBareRepository } from '../../../src/git/commit.ts';
import { createGit, type Git } from '../../../src/git/git.ts';
import { openHistory } from '../../../src/git/history.ts';
import { parseRemote, type Remote } from '../../../src/git/remote.ts';
import { createHttp } from '../../../src/http/client.ts';
import { systemClock } from '../../../src/http/clock.ts';
import { fileStore } from '../../../src/ledger/file.ts';
import { gitStore } from '../../../src/ledger/git.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { ledgerOver } from '../../../src/ledger/records.ts';
import { justWrite, type Waiting, type WriteHook } from '../../../src/ledger/store.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseReference, withTag } from '../../../src/oci/reference.ts';
import type { PromoteInput } from '../../../src/promotion/promote.ts';
import type { RollbackInput } from '../../../src/promotion/rollback.ts';
import type { LookTools, Lookups } from '../../../src/promotion/snapshot-taker.ts';
import { createRegistry } from '../../../src/registry/client.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { releaseFacts } from '../../../src/rules/gate/release-facts.ts';
import type { Evidence, GatePolicy } from '../../../src/rules/gate/snapshot.ts';
import { parsePattern } from '../../../src/rules/releases.ts';

/**
 * A recipe with a repository, releases, images and a ledger, all real. Everything in it is plain data, so that a
 * child process can be told about it and killed.
 */
export interface World {
  readonly recipe: string;
  /** A folder with the project's repository. */
  readonly repository: string;
  readonly image: string;
  readonly ledger:
    | { readonly kind: 'file'; readonly folder: string }
    | { readonly kind: 'git'; readonly address: string };
  readonly scratch: string;
  readonly releases: Record<string, Released>;
}

export interface Released {
  readonly commit: string;
  readonly tree: string;
  readonly digest: Digest;
}

let moments = 1_700_000_000;

function git(folder: string, ...args: string[]): string {
  moments += 1;
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'A',
      GIT_COMMITTER_EMAIL: 'a@example.org',
      GIT_AUTHOR_DATE: `@${moments} +0000`,
      GIT_COMMITTER_DATE: `@${moments} +0000`,
    },
  });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** An empty world; the ledger is made, nothing is released. */
export async function makeWorld(registry: string, ledger: World['ledger'] | 'file' | 'git'): Promise<World> {
  const scratch = mkdtempSync(join(tmpdir(), 'knowngood-world-'));
  const repository = join(scratch, 'project');
  mkdirSync(repository);
  git(repository, 'init', '-q', '-b', 'main', '.');
  const world: World = {
    recipe: 'app',
    repository,
    image: `${registry}/promotion/${randomUUID()}`,
    ledger:
      ledger === 'file'
        ? { kind: 'file', folder: join(scratch, 'ledger') }
        : ledger === 'git'
          ? { kind: 'git', address: join(scratch, 'ledger.git') }
          : ledger,
    scratch,
    releases: {},
  };
  if (ledger === 'git') {
    mkdirSync(join(scratch, 'ledger.git'));
    git(join(scratch, 'ledger.git'), 'init', '-q', '--bare', '-b', 'main', '.');
    git(join(scratch, 'ledger.git'), 'config', 'receive.denyNonFastForwards', 'true');
  }
  await openLedger(world).init();
  return world;
}

/** Tags a release and stages its image, as build-push does. */
export async function release(
  world: World,
  version: string,
  more: {
    readonly content?: string;
    readonly labels?: Record<string, string>;
    readonly image?: (commit: string) => Image;
  } = {},
): Promise<Released> {
  git(world.repository, 'commit', '-q', '--allow-empty', '-m', version);
  git(world.repository, 'tag', version);
  const commit = git(world.repository, 'rev-parse', 'HEAD');
  const image =
    more.image?.(commit) ??
    (await makeImage([[{ path: 'version', content: more.content ?? version }]], {
      config: {
        Labels: {
          'org.opencontainers.image.version': version,
          'org.opencontainers.image.revision': commit,
          ...more.labels,
        },
      },
    }));
  const { registry, repository } = parseReference(world.image);
  await pushImage(registry, repository, `sha-${commit.slice(0, 12)}`, image);
  const released = {
    commit,
    tree: git(world.repository, 'rev-parse', 'HEAD^{tree}'),
    digest: image.digest as Digest,
  };
  world.releases[version] = released;
  return released;
}

export const realWaiting: Waiting = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: () => Math.random(),
};

let scratches = 0;

/** A git of its own for each run. */
export function ourGit(world: World): Git {
  const scratch = join(world.scratch, `git-${process.pid}-${++scratches}`);
  mkdirSync(scratch, { mode: 0o700 });
  return createGit({ scratch, environment: process.env, credentials: [] });
}

export interface ProcessOptions {
  readonly waiting?: Waiting;
  readonly write?: WriteHook;
  readonly tell?: (text: string) => void;
  readonly lookups?: Partial<Lookups>;
  readonly floating?: LookTools['floating'];
}

/** A ledger of a process of its own. */
export function openLedger(
  world: World,
  { waiting = realWaiting, write = justWrite }: ProcessOptions = {},
): Ledger {
  const { ledger } = world;
  if (ledger.kind === 'file') return ledgerOver(fileStore({ folder: ledger.folder, waiting, write }));
  const remote = parseRemote(ledger.address, { insecureHosts: [], folder: '/' });
  return ledgerOver(
    gitStore({
      address: `git:${remote.url}#knowngood`,
      branch: 'knowngood',
      open: () => openBareRepository(ourGit(world), remote),
      waiting,
      write,
    }),
  );
}

export function openRegistry(): Registry {
  const http = createHttp({ clock: systemClock, onRetry: () => undefined, redact: (text: string) => text });
  return createRegistry({
    http,
    clock: systemClock,
    credentials: async () => undefined,
    mask: () => undefined,
  });
}

export const remoteOf = ({ repository }: World): Remote =>
  parseRemote(repository, { insecureHosts: [], folder: '/' });

/** Everything one run has; two runs share nothing but the world. */
export function openTools(world: World, options: ProcessOptions = {}): LookTools {
  const { waiting = realWaiting, write = justWrite } = options;
  const remote = remoteOf(world);
  const lookups: Lookups = {
    config: async () => ({
      enrolled: true,
      enrolledBy: 'knowngood.yml',
      tiers: ['install', 'upgrade'],
      expectedNa: {},
    }),
    releases: async (candidate, base) => {
      const history = await openHistory(ourGit(world), remote, 'main');
      const tags = await history.tags(history.branch, [candidate.commit]);
      return releaseFacts(tags, parsePattern('*'), history.branch.name, candidate, base);
    },
    stated: async () => [],
    verification: async () => ({ asked: false }),
    ...options.lookups,
  };
  return {
    ledger: openLedger(world, options),
    registry: openRegistry(),
    lookups,
    floating: options.floating ?? 'on-promote',
    waiting,
    write,
    nonce: () => randomUUID(),
    tell: options.tell ?? (() => undefined),
  };
}

export const policy: GatePolicy = {
  signature: false,
  provenance: false,
  allPlatforms: false,
  platforms: [],
  minAgeMs: 0,
  maxEvidenceAgeMs: 24 * 3600_000,
  accepted: [],
};

/** What a run of this release hands to the promotion: a green, cold test that upgraded from the release before. */
export function inputFor(
  world: World,
  version: string,
  more: Partial<PromoteInput> = {},
  now = Date.now(),
): PromoteInput {
  const { commit, tree, digest } = world.releases[version]!;
  const versions = Object.keys(world.releases);
  const base = versions[versions.indexOf(version) - 1];
  const run = `run-${version}-${randomUUID()}`;
  const evidence: Evidence = {
    recipe: world.recipe,
    version,
    commit,
    subject: { [world.image]: digest },
    testedPlatforms: ['linux/amd64'],
    harness: '1.0.0',
    run,
    context: 'release',
    verdict: 'green',
    tiers: [
      { name: 'install', verdict: 'pass' },
      base === undefined
        ? { name: 'upgrade', verdict: 'na', reason: 'first-release' }
        : { name: 'upgrade', verdict: 'pass' },
    ],
    cold: true,
    commands: 'contained',
    ...(base === undefined
      ? {}
      : { base: { version: base, tag: base, commit: world.releases[base]!.commit, reason: 'canonical' } }),
    effect: true,
    startedAt: new Date(now - 60_000).toISOString(),
    finishedAt: new Date(now - 1000).toISOString(),
  };
  return {
    recipe: world.recipe,
    repository: 'git.example.org/acme/app',
    run,
    context: 'release',
    policy,
    candidate: { version, commit, checkout: commit, tree, dirty: [] },
    subject: { kind: 'image', image: world.image, digest },
    evidence,
    recipeDigest: undefined,
    by: 'somebody',
    dryRun: false,
    ...more,
  };
}

/** What a person asks for who goes back to this version. */
export function backTo(world: World, to: string | undefined): RollbackInput {
  return {
    recipe: world.recipe,
    repository: 'git.example.org/acme/app',
    run: `by-hand-${randomUUID()}`,
    policy,
    to,
    why: 'broken',
    until: 'newer',
    images: [world.image],
    by: 'somebody',
    dryRun: false,
  };
}

/** Where the image's tags are, asked of the registry itself. */
export async function tagsOf(world: World): Promise<Record<string, string>> {
  const reference = parseReference(world.image);
  const registry = openRegistry();
  const found: Record<string, string> = {};
  for (const tag of await registry.tags(reference)) {
    if (tag.startsWith('sha-')) continue;
    const digest = (await registry.head(withTag(reference, tag)))?.digest;
    const version = Object.entries(world.releases).find(([, released]) => released.digest === digest)?.[0];
    found[tag] = version ?? digest ?? '';
  }
  return found;
}
