import { lstatSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** Where a repository on this disk keeps its things; absolute paths. */
export interface FoundRepository {
  /** Folder that holds `.git`; absent for a bare repository. */
  readonly root?: string;
  /** HEAD is here. */
  readonly gitDir: string;
  /** Refs, objects and `shallow` are here: another folder only in a linked worktree. */
  readonly commonDir: string;
}

/**
 * The repository whose checkout holds this folder: the nearest `.git` at it or above. git's own search would also
 * take a folder for a bare repository that merely looks like one, and anybody can commit such a folder.
 */
export function findCheckout(folder: string): FoundRepository | undefined {
  let root = resolve(folder);
  for (;;) {
    const gitDir = gitDirOf(join(root, '.git'));
    if (gitDir !== undefined) return { root, gitDir, commonDir: commonDirOf(gitDir) };
    const above = dirname(root);
    if (above === root) return undefined;
    root = above;
  }
}

/** The repository that a person named by its path: a checkout's top folder, or a bare repository. */
export function findRepository(path: string): FoundRepository | undefined {
  const inside = gitDirOf(join(path, '.git'));
  if (inside !== undefined) return { root: resolve(path), gitDir: inside, commonDir: commonDirOf(inside) };
  return looksLikeGitDir(path) ? { gitDir: resolve(path), commonDir: commonDirOf(resolve(path)) } : undefined;
}

function gitDirOf(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) return looksLikeGitDir(path) ? path : undefined;
    // Worktrees and submodules have a file that says where the folder is.
    const text = smallFile(path);
    const target = /^gitdir: (.+)/.exec(text ?? '')?.[1];
    if (target === undefined) return undefined;
    const gitDir = isAbsolute(target) ? target : resolve(dirname(path), target);
    return looksLikeGitDir(gitDir) ? gitDir : undefined;
  } catch {
    return undefined;
  }
}

function commonDirOf(gitDir: string): string {
  const text = smallFile(join(gitDir, 'commondir'));
  return text === undefined ? gitDir : resolve(gitDir, text.trim());
}

function looksLikeGitDir(path: string): boolean {
  try {
    const head = lstatSync(join(path, 'HEAD'));
    return (
      (head.isFile() || head.isSymbolicLink()) && statSync(join(commonDirOf(path), 'objects')).isDirectory()
    );
  } catch {
    return false;
  }
}

function smallFile(path: string): string | undefined {
  try {
    const kind = statSync(path);
    return kind.isFile() && kind.size <= 4096 ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
