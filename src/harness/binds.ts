import { cpSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, isAbsolute, join, relative, sep } from 'node:path';
import { Failure } from '../outcome.ts';
import { ignoring } from './containers.ts';
import type { Release } from './plan.ts';
import type { Whereabouts } from './reach.ts';
import { sendFiles } from './send-files.ts';
import type { Site } from './site.ts';

/** What is mounted in place of a bind that a recipe asked for. */
export type Mounted =
  | { readonly kind: 'volume'; readonly volume: string }
  | { readonly kind: 'file'; readonly path: string }
  /** The engine does not see our files: put `path` into the container before it starts. */
  | { readonly kind: 'send'; readonly path: string };

/**
 * Binds are never given the checkout itself: a test container is hostile, and could write the dossier, the history
 * or the next step's input. A folder becomes a volume with a copy of its files; what the base wrote there the
 * candidate finds again, unless the mount is read-only. A single file is bound from a copy in the run's folder.
 *
 * `image`: any image the engine has; a container of it that never starts receives the files.
 */
export async function mountBind(
  site: Site,
  scope: string,
  release: Release,
  bind: { readonly source: string; readonly readOnly: boolean },
  image: string,
  signal: AbortSignal,
): Promise<Mounted> {
  const source = insideTree(release.folder, bind.source);
  const key = keyOf(relative(realpathSync(release.folder), source));
  if (lstatSync(source).isFile()) {
    const folder = join(runFolder(site), scope, release.role, key);
    mkdirSync(folder, { recursive: true });
    const copy = join(folder, basename(source));
    cpSync(source, copy);
    const seen = bindSource(site.where, copy);
    return seen.kind === 'path' ? { kind: 'file', path: seen.path } : { kind: 'send', path: copy };
  }
  const volume = site.name.name(`${scope}-bind-${bind.readOnly ? `${release.role}-` : ''}${key}`);
  await fillVolume(site, volume, source, image, signal);
  return { kind: 'volume', volume };
}

/** A volume with a copy of a folder's files; files that it has already are overwritten. */
export async function fillVolume(
  site: Site,
  volume: string,
  source: string,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  await makeVolume(site, volume);
  const name = site.name.name(`fill-${volume.slice(-40)}`);
  site.journal.note('container', name);
  const container = await site.docker.createContainer({
    name,
    Image: image,
    Cmd: ['-'],
    Labels: site.name.labels(),
    HostConfig: {
      NetworkMode: 'none',
      Mounts: [{ Type: 'volume', Source: volume, Target: '/knowngood' }] as never,
    },
    abortSignal: signal,
  });
  try {
    await sendFiles(site.docker, container.id, source, '/knowngood', signal);
  } finally {
    await ignoring([404, 409], container.remove({ force: true, v: true }));
  }
}

export async function makeVolume(site: Site, name: string): Promise<void> {
  site.journal.note('volume', name);
  await site.docker.createVolume({ Name: name, Labels: site.name.labels() });
}

/** Copies of single files; the journal removes it. */
export function runFolder(site: Site): string {
  const folder = join(site.logs.folder, '..', `run-${site.name.id}`);
  site.journal.note('folder', folder);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * The real path of a source inside the release's tree. A link that leads out of it would show a container the host's
 * files, so every step of the path is followed here, before the engine does it.
 */
export function insideTree(folder: string, source: string): string {
  const tree = realpathSync(folder);
  let real: string;
  try {
    real = realpathSync(isAbsolute(source) ? source : join(tree, source));
  } catch (cause) {
    throw new Failure('path-outside', `The bind \`${source}\` names nothing in the recipe's tree.`, {
      cause,
    });
  }
  if (!isInside(tree, real))
    throw new Failure('path-outside', `The bind \`${source}\` leaves the recipe's tree.`);
  const kind = lstatSync(real);
  if (!kind.isDirectory() && !kind.isFile()) {
    throw new Failure('path-outside', `The bind \`${source}\` is neither a folder nor a regular file.`);
  }
  if (
    relative(tree, real)
      .split(sep)
      .some((part) => part === '.git' || part === 'knowngood-out')
  ) {
    throw new Failure('path-outside', `The bind \`${source}\` is not part of the recipe.`);
  }
  return real;
}

/**
 * What the engine has to mount for a path of ours. `path`: that path on the engine's side, the same or translated
 * through our own mounts. `copy`: the engine does not see our files, they have to be sent.
 */
export type BindSource = { readonly kind: 'path'; readonly path: string } | { readonly kind: 'copy' };

export function bindSource(where: Whereabouts, path: string): BindSource {
  if (where.kind === 'host') return where.sameFiles ? { kind: 'path', path } : { kind: 'copy' };
  // The innermost mount wins: it is what we see at that path.
  const mount = where.mounts
    .filter(({ destination }) => isInside(destination, path))
    .sort((a, b) => b.destination.length - a.destination.length)[0];
  if (mount === undefined) return { kind: 'copy' };
  return { kind: 'path', path: join(mount.source, relative(mount.destination, path)) };
}

/** True where `path` is `folder` or lies in it; both absolute. */
export function isInside(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest));
}

function keyOf(path: string): string {
  const plain = path.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  return plain === '' ? 'tree' : plain.slice(0, 60);
}
