import { posix } from 'node:path';
import { readDockerfile } from './dockerfile.ts';
import { type BuildContext, FILE_LIMIT } from './files.ts';
import { readInside } from './inside.ts';
import { type Instruction, utf8 } from './instructions.ts';

/** How a Dockerfile that the ignore rules leave out is kept out of the image. */
export interface Hiding {
  /** Some instruction would copy it. */
  readonly needed: boolean;
  /** The Dockerfile with `--exclude` at those instructions; absent where a pattern names it, which that cannot undo. */
  readonly excluded?: Uint8Array;
  /** The classic builder, which takes it out of the context by itself, does not understand this Dockerfile. */
  readonly buildKitOnly: boolean;
}

/**
 * The builders' command line keeps an ignored Dockerfile out of the image by sending it apart. Over the Engine API
 * it is in the context, and `COPY . /` would take it along.
 */
export function hideDockerfile(bytes: Uint8Array, path: string): Hiding {
  const dockerfile = readDockerfile(bytes, path);
  const text = Buffer.from(bytes).toString('latin1');
  const instructions = dockerfile.stages.flatMap((stage) => stage.instructions);
  const buildKitOnly = dockerfile.syntax !== undefined || instructions.some(isBuildKitOnly);
  let excluded = '';
  let at = 0;
  let needed = false;
  let possible = true;
  for (const instruction of instructions) {
    const patterns = sourcesOf(instruction).flatMap((source) => relativeIn(source, path));
    if (patterns.length === 0) continue;
    needed = true;
    const start = (instruction.flags[0] ?? instruction.words[0])?.start;
    if (start === undefined || patterns.includes(undefined)) {
      possible = false;
      continue;
    }
    const flags = [...new Set(patterns)].map(
      (pattern) => `--exclude=${Buffer.from(pattern ?? '').toString('latin1')} `,
    );
    excluded += text.slice(at, start) + flags.join('');
    at = start;
  }
  return {
    needed,
    buildKitOnly,
    ...(needed && possible ? { excluded: Buffer.from(excluded + text.slice(at), 'latin1') } : {}),
  };
}

/**
 * The `.dockerignore` by which the classic builder takes an ignored Dockerfile out of its context; `undefined` where
 * the one in the context does so already. One that is sent for this alone names itself too. One that is there, and is
 * not what leaves the Dockerfile out (`<Dockerfile>.dockerignore` is), gets a line more.
 */
export function rulesThatHide(
  tree: { readonly folder: string; readonly files: readonly { readonly path: string }[] },
  { dockerfile, ignoreFile }: Pick<BuildContext, 'dockerfile' | 'ignoreFile'>,
): Uint8Array | undefined {
  // The whole path and nothing else, whatever signs are in it.
  const rule = dockerfile.path.replace(/[\\*?[\]!#]/g, '\\$&');
  if (!tree.files.some(({ path }) => path === '.dockerignore'))
    return Buffer.from(`${rule}\n.dockerignore\n`);
  if (ignoreFile?.path === '.dockerignore') return undefined;
  const own = readInside(tree.folder, '.dockerignore', FILE_LIMIT) ?? Buffer.alloc(0);
  return Buffer.concat([own, Buffer.from(`\n${rule}\n`)]);
}

/** The sources of an instruction that copies from the context. */
function sourcesOf(instruction: Instruction): string[] {
  if (instruction.keyword !== 'COPY' && instruction.keyword !== 'ADD') return [];
  if (instruction.flags.some((flag) => flag.text.startsWith('--from='))) return [];
  const list = jsonList(instruction.rest);
  const words = list ?? instruction.words.map((word) => utf8(word.text).replace(/^(["'])(.*)\1$/, '$2'));
  return words.slice(0, -1);
}

function jsonList(rest: string): string[] | undefined {
  if (!rest.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(utf8(rest));
    return Array.isArray(parsed) ? parsed.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The Dockerfile's path as seen from this source, if the source holds it; nothing if it does not; `undefined` if the
 * source names it by a pattern, a variable or by itself.
 */
function relativeIn(source: string, path: string): (string | undefined)[] {
  const plain = posix.normalize(`/${source}`).replace(/^\/+|\/+$/g, '');
  if (/[*?[\\$]/.test(source)) return mayMatch(plain, path) ? [undefined] : [];
  if (plain === '') return [path];
  if (plain === path) return [undefined];
  return path.startsWith(`${plain}/`) ? [path.slice(plain.length + 1)] : [];
}

/** Generous: a variable may be anything, and so may what a bracket matches. */
function mayMatch(pattern: string, path: string): boolean {
  if (/[[\\$]/.test(pattern)) return true;
  const parts = pattern.split('/').map(
    (part) =>
      new RegExp(
        `^${part
          .replace(/[.+^(){}|]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
      ),
  );
  const names = path.split('/');
  return parts.length <= names.length && parts.every((part, index) => part.test(names[index] ?? ''));
}

function isBuildKitOnly({ keyword, flags, heredocs }: Instruction): boolean {
  if (heredocs.length > 0 || (keyword === 'RUN' && flags.length > 0)) return true;
  return (
    (keyword === 'COPY' || keyword === 'ADD') && flags.some((flag) => !/^--(?:from|chown)=/.test(flag.text))
  );
}
