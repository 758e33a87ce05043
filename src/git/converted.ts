import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashObject } from './commit-object.ts';
import type { ObjectSource } from './objects.ts';
import type { TreeFile } from './tree-list.ts';

/** Larger files are not read whole to undo a conversion; they count as changed. LFS objects are hashed as streams. */
const TEXT_LIMIT = 32 * 1024 * 1024;
const POINTER_LIMIT = 1024;

/**
 * Of files whose bytes are not the tree's: those that no known conversion explains. The attributes are the tree's
 * own, not those of the working folder. Undone here, so that no filter program runs:
 * - `eol=crlf`: carriage returns that git added;
 * - `ident`: the text in `$Id: …$`;
 * - `filter=lfs`: the tree has a pointer with the SHA-256 and the size of what is there.
 */
export async function converted(
  input: { root: string; tree: string; source: ObjectSource },
  suspects: readonly TreeFile[],
): Promise<string[]> {
  const attributes = await attributesOf(input, suspects);
  const dirty: string[] = [];
  for (const [index, file] of suspects.entries()) {
    const { eol, ident, filter } = attributes[index] ?? {};
    const explained =
      filter === 'lfs'
        ? await isLfsObject(input.root, input.source, file)
        : (filter === undefined || filter === 'unspecified' || filter === 'unset') &&
          (await isText(input.root, file, { crlf: eol === 'crlf', ident: ident === 'set' }));
    if (!explained) dirty.push(file.text);
  }
  return dirty;
}

type Attributes = Partial<Record<'eol' | 'ident' | 'filter', string>>;

async function attributesOf(
  { tree, source }: { tree: string; source: ObjectSource },
  files: readonly TreeFile[],
): Promise<Attributes[]> {
  const { git, call } = source;
  const environment = { ...call.environment, GIT_INDEX_FILE: join(call.gitDir, 'index-of-attributes') };
  await git.run({ ...call, args: ['read-tree', tree], environment });
  const { stdout } = await git.run({
    ...call,
    args: ['check-attr', '--cached', '-z', '--stdin', 'eol', 'ident', 'filter'],
    environment,
    input: Buffer.concat(files.flatMap(({ path }) => [path, Buffer.of(0)])),
  });
  // Path, attribute, value; three of them for each file, in the order of the input.
  const fields = stdout.toString('latin1').split('\0');
  return files.map((_, index) => {
    const found: Attributes = {};
    for (let at = index * 9; at < index * 9 + 9; at += 3) {
      found[fields[at + 1] as keyof Attributes] = fields[at + 2] ?? '';
    }
    return found;
  });
}

async function isText(
  root: string,
  file: TreeFile,
  how: { crlf: boolean; ident: boolean },
): Promise<boolean> {
  if (!how.crlf && !how.ident) return false;
  const bytes = await readFile(join(root, file.text)).catch(() => undefined);
  if (bytes === undefined || bytes.length > TEXT_LIMIT) return false;
  let text = bytes.toString('latin1');
  if (how.crlf) text = text.replaceAll('\r\n', '\n');
  if (how.ident) text = text.replace(/\$Id:[^$\r\n]*\$/g, '$$Id$$');
  return hashObject('blob', Buffer.from(text, 'latin1'), file.id.length) === file.id;
}

async function isLfsObject(root: string, { git, call }: ObjectSource, file: TreeFile): Promise<boolean> {
  const size = Number(await git.text({ ...call, args: ['cat-file', '-s', file.id] }));
  if (size > POINTER_LIMIT) return false;
  const { stdout } = await git.run({ ...call, args: ['cat-file', 'blob', file.id] });
  if (hashObject('blob', stdout, file.id.length) !== file.id) return false;
  const pointer = stdout.toString('utf8');
  const expected = /^oid sha256:([0-9a-f]{64})$/m.exec(pointer)?.[1];
  if (!pointer.startsWith('version https://git-lfs.github.com/spec/v1\n') || expected === undefined)
    return false;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(join(root, file.text))) hash.update(chunk as Buffer);
  return hash.digest('hex') === expected;
}
