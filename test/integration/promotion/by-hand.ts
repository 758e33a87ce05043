import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseReference, withDigest, withTag } from '../../../src/oci/reference.ts';
import { openRegistry, tagsOf, type World } from './world.ts';

/** The files of a ledger as a person sees them: a folder, or a checkout of the branch. */
export interface LedgerFiles {
  readonly folder: string;
  read(path: string): string;
  write(path: string, text: string): void;
  link(path: string, target: string): void;
  remove(path: string): void;
}

function filesIn(folder: string): LedgerFiles {
  return {
    folder,
    read: (path) => readFileSync(join(folder, path), 'utf8'),
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      rmSync(join(folder, path), { force: true });
      writeFileSync(join(folder, path), text);
    },
    link(path, target) {
      rmSync(join(folder, path), { recursive: true, force: true });
      symlinkSync(target, join(folder, path));
    },
    remove: (path) => rmSync(join(folder, path), { recursive: true }),
  };
}

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      GIT_AUTHOR_NAME: 'B',
      GIT_AUTHOR_EMAIL: 'b@example.org',
      GIT_COMMITTER_NAME: 'B',
      GIT_COMMITTER_EMAIL: 'b@example.org',
    },
  });

/** Changes a ledger by hand, as whoever may write there can. */
export function changeByHand(world: World, change: (files: LedgerFiles) => void): void {
  if (world.ledger.kind === 'file') {
    change(filesIn(world.ledger.folder));
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'knowngood-person-'));
  git(folder, 'clone', '-q', '--branch', 'knowngood', world.ledger.address, '.');
  change(filesIn(folder));
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'by hand');
  git(folder, 'push', '-q', 'origin', 'knowngood');
  rmSync(folder, { recursive: true, force: true });
}

/** Everything that a promotion could change, byte for byte: the whole ledger and where every tag is. */
export async function everything(world: World): Promise<unknown> {
  return { ledger: ledgerBytes(world), tags: await tagsOf(world) };
}

function ledgerBytes(world: World): unknown {
  // A commit's id stands for every byte of it; nothing can be written without another one.
  if (world.ledger.kind === 'git') return git(world.ledger.address, 'rev-parse', 'knowngood');
  const { folder } = world.ledger;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((path) => [path, readFileSync(path, 'utf8')]);
}

/** Puts a tag on a digest as anybody who may push can. */
export async function tagByHand(world: World, tag: string, version: string): Promise<void> {
  const registry = openRegistry();
  const reference = parseReference(world.image);
  const manifest = await registry.manifest(withDigest(reference, world.releases[version]!.digest));
  await registry.putManifest(withTag(reference, tag), manifest!);
}
