import { Failure } from '../outcome.ts';
import { hashObject } from './commit-object.ts';
import type { ObjectSource } from './objects.ts';
import { objectId } from './refs.ts';

/** One file, link or submodule of a whole tree. */
export interface TreeFile {
  /** Bytes of the path, as git has them; `text` for people. */
  readonly path: Buffer;
  readonly text: string;
  readonly mode: '100644' | '100755' | '120000' | '160000';
  readonly id: string;
}

/**
 * Every file of a tree, in git's order. The listing is hashed again from the bottom to the top and must give the id
 * that was asked for: objects of a checkout could have been written by anything that ran before us.
 */
export async function listTree(source: ObjectSource, tree: string): Promise<TreeFile[]> {
  const { stdout } = await source.git.run({
    ...source.call,
    args: ['ls-tree', '-r', '-t', '-z', '--full-tree', objectId(tree)],
    limitBytes: 512 * 1024 * 1024,
  });
  const files: TreeFile[] = [];
  const folders = new Map<string, Entry[]>([['', []]]);
  const trees: { path: string; id: string }[] = [{ path: '', id: tree }];
  for (const record of records(stdout)) {
    const tab = record.indexOf(9);
    const [mode = '', type, id = ''] = record.subarray(0, tab).toString('latin1').split(' ');
    // latin1 keeps every byte of a name that is no UTF-8.
    const path = record.subarray(tab + 1).toString('latin1');
    const slash = path.lastIndexOf('/');
    folders.get(path.slice(0, Math.max(slash, 0)))?.push({ mode, name: path.slice(slash + 1), id });
    if (type === 'tree') {
      folders.set(path, []);
      trees.push({ path, id });
      continue;
    }
    const bytes = Buffer.from(path, 'latin1');
    files.push({ path: bytes, text: bytes.toString('utf8'), mode: plainMode(mode), id });
  }
  for (const { path, id } of trees) {
    if (hashTree(folders.get(path) ?? [], id.length) === id) continue;
    throw new Failure('git-failed', `The tree ${id} is damaged: its content has another id.`);
  }
  return files;
}

interface Entry {
  readonly mode: string;
  readonly name: string;
  readonly id: string;
}

function hashTree(entries: readonly Entry[], digits: number): string {
  const parts = entries.flatMap(({ mode, name, id }) => [
    Buffer.from(`${mode.replace(/^0+/, '')} ${name}\0`, 'latin1'),
    Buffer.from(id, 'hex'),
  ]);
  return hashObject('tree', Buffer.concat(parts), digits);
}

/** Old commits have modes such as 100664; git reads them as one of the two. */
function plainMode(mode: string): TreeFile['mode'] {
  if (mode === '120000' || mode === '160000') return mode;
  return (Number.parseInt(mode, 8) & 0o100) === 0 ? '100644' : '100755';
}

function* records(output: Buffer): Generator<Buffer> {
  let start = 0;
  for (;;) {
    const end = output.indexOf(0, start);
    if (end < 0) return;
    yield output.subarray(start, end);
    start = end + 1;
  }
}
