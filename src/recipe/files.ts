import { type Dirent, lstatSync, readdirSync, type Stats } from 'node:fs';
import { join, posix } from 'node:path';
import { Failure } from '../outcome.ts';
import { type IgnoreRules, readIgnoreRules } from './ignore.ts';
import { components, existsInside, readInside } from './inside.ts';
import { byteOrder } from './order.ts';
import { turn } from './turn.ts';

/** A file of a context: its `/`-separated path relative to the context, and whether it is a link. */
export interface ContextFile {
  readonly path: string;
  readonly link: boolean;
}

/**
 * What a build sends, and what the recipe digest is about: one list for both. Sorted byte-wise; folders are in it
 * through their files only, as in git.
 */
export interface ContextFiles {
  /** Absolute path of the context. */
  readonly folder: string;
  readonly files: readonly ContextFile[];
}

/** The context of a Dockerfile, with the two files that decide what it is. Paths are relative to the context. */
export interface BuildContext extends ContextFiles {
  readonly dockerfile: {
    readonly path: string;
    readonly bytes: Uint8Array;
    /** The ignore rules leave it out: it is there for the builder, and `COPY . /` should not copy it. */
    readonly ignored: boolean;
  };
  readonly ignoreFile?: { readonly path: string; readonly bytes: Uint8Array };
}

/** Most bytes of a Dockerfile or an ignore file (security.md 7 of the design). */
export const FILE_LIMIT = 1024 * 1024;

/**
 * Never in a context, whatever `!` rules say, at any depth: `.git` holds credentials and makes each checkout
 * differ, `knowngood-out` is what this run writes while the context is read.
 */
const NEVER: ReadonlySet<string> = new Set(['.git', 'knowngood-out']);

/**
 * Lists the context of a Dockerfile: every file tested against `<Dockerfile>.dockerignore` or else
 * `.dockerignore`, the Dockerfile always in. `folder` is absolute and already checked (`folderInside`),
 * `dockerfile` relative to it. Fails with `path-outside`, `dockerfile-missing`, `ignore-invalid` and
 * `context-invalid`; with `cancelled` where `signal` aborts.
 */
export async function buildContext(
  folder: string,
  dockerfile: string,
  signal?: AbortSignal,
): Promise<BuildContext> {
  const path = components(dockerfile).join('/');
  if (path.split('/').some((part) => NEVER.has(part))) {
    throw new Failure(
      'path-outside',
      `The Dockerfile \`${path}\` is in a folder that is never part of a context.`,
    );
  }
  const bytes = readInside(folder, path, FILE_LIMIT);
  if (bytes === undefined) {
    throw new Failure('dockerfile-missing', `There is no Dockerfile at \`${path}\` in the context.`);
  }
  const ignoreFile = readIgnoreFile(folder, path);
  const rules = ignoreFile && readIgnoreRules(ignoreFile.bytes, ignoreFile.path);
  const files = await list(folder, rules, signal);
  const ignored = !files.some((file) => file.path === path);
  if (ignored) files.push({ path, link: false });
  return {
    folder,
    files: files.sort((a, b) => byteOrder(a.path, b.path)),
    dockerfile: { path, bytes, ignored },
    ...(ignoreFile && { ignoreFile }),
  };
}

/**
 * Lists files that somebody names, and what is in the folders among them but for `.git` and `knowngood-out`. Paths
 * are relative to `folder`; what does not exist is left out.
 */
export async function filesAt(
  folder: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<ContextFiles> {
  const files = new Map<string, ContextFile>();
  for (const path of paths.map((written) => components(written).join('/'))) {
    if (!existsInside(folder, path) || path.split('/').some((part) => NEVER.has(part))) continue;
    const found = lstatSync(join(folder, path));
    const listed = found.isDirectory()
      ? await list(folder, undefined, signal, path)
      : [{ path, link: isLink(found, path) }];
    for (const file of listed) files.set(file.path, file);
  }
  return { folder, files: [...files.values()].sort((a, b) => byteOrder(a.path, b.path)) };
}

function readIgnoreFile(folder: string, dockerfile: string): BuildContext['ignoreFile'] {
  for (const path of [`${dockerfile}.dockerignore`, '.dockerignore']) {
    const bytes = readInside(folder, path, FILE_LIMIT);
    if (bytes !== undefined) return { path, bytes };
  }
  return undefined;
}

async function list(
  folder: string,
  rules: IgnoreRules | undefined,
  signal: AbortSignal | undefined,
  from = '',
): Promise<ContextFile[]> {
  const files: ContextFile[] = [];
  const folders = [from];
  const pause = turn(signal);
  for (let parent = folders.pop(); parent !== undefined; parent = folders.pop()) {
    for (const entry of entries(folder, parent)) {
      if (NEVER.has(entry.name)) continue;
      const path = posix.join(parent, entry.name);
      const ignored = rules?.ignores(path) ?? false;
      if (entry.isDirectory()) {
        // Only a `!` rule can bring back a file of an ignored folder.
        if (!ignored || rules?.exceptions) folders.push(readable(entry, path));
      } else if (!ignored) {
        files.push({ path: readable(entry, path), link: isLink(entry, path) });
      }
    }
    await pause(4096);
  }
  return files;
}

function entries(folder: string, parent: string): Dirent[] {
  try {
    return readdirSync(join(folder, parent), { withFileTypes: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new Failure(
        'candidate-changed',
        `The folder \`${parent}\` went away while the context was read.`,
      );
    }
    throw new Failure(
      'context-invalid',
      `The folder \`${parent}\` of the context cannot be read (${code}).`,
      {
        remedy: 'Make it readable, or ignore it in .dockerignore.',
        cause: error,
      },
    );
  }
}

/** The path, if its name is UTF-8: Node replaces other bytes, and would then not find the file. */
function readable(entry: Dirent, path: string): string {
  if (!entry.name.includes('\ufffd')) return path;
  throw new Failure('context-invalid', `The name \`${path}\` in the context is not UTF-8.`, {
    remedy: 'Rename it, or ignore it in .dockerignore.',
  });
}

function isLink(entry: Dirent | Stats, path: string): boolean {
  if (entry.isFile() || entry.isSymbolicLink()) return entry.isSymbolicLink();
  const what = entry.isFIFO()
    ? 'a pipe'
    : entry.isSocket()
      ? 'a socket'
      : entry.isBlockDevice() || entry.isCharacterDevice()
        ? 'a device'
        : 'neither a file nor a link';
  throw new Failure(
    'context-invalid',
    `\`${path}\` in the context is ${what}; only files and links can be sent.`,
  );
}
