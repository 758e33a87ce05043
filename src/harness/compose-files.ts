import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { Failure, finding } from '../outcome.ts';
import { insideTree } from './binds.ts';

/** A compose file as it was written; `name` is relative to the tree, for people. */
export interface ComposeText {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** As large as any configuration may be (security.md 7 of the design); parsing more would take seconds. */
const FILE_LIMIT = 256 * 1024;
const FILES_LIMIT = 50;

/**
 * Reads the compose files of a release and every file that they pull in (`include`, `extends`), before compose does:
 * compose reads `env_file`, `label_file`, `include` and `extends` from anywhere, links included, and what it reads
 * lands in containers and messages. Each has to be a plain path inside the tree; one with a variable could become
 * another path when compose reads it.
 */
export function readComposeFiles(folder: string, files: readonly string[]): ComposeText[] {
  const read = new Map<string, ComposeText>();
  for (const file of files) readInto(read, folder, resolve(folder, file), file);
  return [...read.values()];
}

function readInto(read: Map<string, ComposeText>, folder: string, path: string, written: string): void {
  const real = insideTree(folder, path);
  if (read.has(real)) return;
  if (read.size >= FILES_LIMIT)
    throw new Failure('compose-invalid', `The compose files include more than ${FILES_LIMIT} others.`);
  const { size } = statSync(real);
  if (size > FILE_LIMIT)
    throw new Failure('compose-invalid', `${written} is larger than ${FILE_LIMIT / 1024} KiB.`);
  const text = readFileSync(real, 'utf8');
  const name = relative(insideTree(folder, '.'), real);
  read.set(real, { name, path: real, text });
  for (const { file, kind, line } of referencesIn(text)) {
    if (/\$|^[a-z]+:|\0/i.test(file) || file.startsWith('~')) {
      throw refused(name, line, `\`${kind}\` names ${JSON.stringify(file)}, which is no plain path.`);
    }
    const target = isAbsolute(file) ? file : join(dirname(real), file);
    if (kind === 'include' || kind === 'extends') readInto(read, folder, target, file);
    else checkInside(folder, target, name, kind, line);
  }
  // Compose reads the `.env` beside an included file without being told to.
  checkInside(folder, join(dirname(real), '.env'), name, 'env_file', 1);
}

/** A file that is only mentioned may be absent; where it is there, it must not lead out of the tree. */
function checkInside(folder: string, target: string, name: string, kind: string, line: number): void {
  try {
    if (statSync(target, { throwIfNoEntry: false }) === undefined) {
      if (isAbsolute(relative(folder, target)) || relative(folder, target).startsWith('..'))
        throw new Error('outside');
      return;
    }
    insideTree(folder, target);
  } catch (cause) {
    throw refused(name, line, `\`${kind}\` names a file outside the recipe's tree.`, cause);
  }
}

function refused(file: string, line: number, message: string, cause?: unknown): Failure {
  const text = `${file}:${line}: ${message}`;
  return new Failure('unsafe-compose', text, {
    cause,
    findings: [finding('unsafe-compose', 'error', text, { at: { file, line } })],
  });
}

interface FileReference {
  readonly kind: 'include' | 'extends' | 'env_file' | 'label_file' | 'project_directory';
  readonly file: string;
  readonly line: number;
}

/** Every place of a compose file that names another file which compose reads by itself. */
export function referencesIn(text: string): FileReference[] {
  const document = parseDocument(text, { logLevel: 'silent', merge: true });
  const found: FileReference[] = [];
  let steps = 0;
  const lineOf = (node: { range?: readonly number[] | null }): number =>
    text.slice(0, node.range?.[0] ?? 0).split('\n').length;
  const texts = (kind: FileReference['kind'], node: unknown): void => {
    const at = isAlias(node) ? node.resolve(document) : node;
    if (isScalar(at)) found.push({ kind, file: String(at.value), line: lineOf(at) });
    else if (isSeq(at)) for (const item of at.items) texts(kind, item);
    // The long form of env_file, { path, required }; of include, { path, env_file, project_directory }; of extends, { file, service }.
    else if (isMap(at)) {
      for (const { key, value } of at.items) {
        const name = isScalar(key) ? String(key.value) : '';
        if (name === 'path' || name === 'file') texts(kind, value);
        else if (name === 'env_file' || name === 'project_directory') texts(name, value);
      }
    }
  };
  // Anywhere in the document: an anchor under `x-…` is merged into a service later.
  const walk = (node: unknown): void => {
    if (++steps > 20_000) throw new Failure('compose-invalid', 'A compose file has too many parts.');
    if (isSeq(node)) for (const item of node.items) walk(item);
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      if (name === 'env_file' || name === 'label_file' || name === 'include') texts(name, value);
      // `extends: name` is a service of the same file.
      else if (name === 'extends' && isMap(isAlias(value) ? value.resolve(document) : value))
        texts(name, value);
      walk(value);
    }
  };
  walk(document.contents);
  return found;
}
