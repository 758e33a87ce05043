import { Failure } from '../outcome.ts';
import type { Git } from './git.ts';
import { farSide, type Remote } from './remote.ts';

/** A tag. `commit` and `tree` are absent where it stands for no commit. */
export interface TagRef {
  /** Without `refs/tags/`. */
  readonly name: string;
  readonly commit?: string;
  readonly tree?: string;
  readonly reachable: boolean;
  readonly ancestor: boolean;
  /** The tag that an annotated tag stands for, where it is no commit yet. */
  readonly nested?: string;
}

/** One line for each tag: name, then type, id and tree of the object and of what it stands for. */
export const TAG_FORMAT =
  '%(refname) %(objecttype) %(objectname) %(tree) %(*objecttype) %(*objectname) %(*tree)';

/** Reads what `for-each-ref` prints in TAG_FORMAT. No ref name has a space; fields that do not apply are empty. */
export function parseTags(output: Buffer): TagRef[] {
  const tags: TagRef[] = [];
  for (const line of output.toString('utf8').split('\n')) {
    if (line === '') continue;
    const [ref = '', type, id = '', tree = '', peeledType, peeledId = '', peeledTree = ''] = line.split(' ');
    const tag = { name: ref.slice('refs/tags/'.length), reachable: false, ancestor: false };
    if (type === 'commit') tags.push({ ...tag, commit: id, tree });
    else if (peeledType === 'commit') tags.push({ ...tag, commit: peeledId, tree: peeledTree });
    else if (peeledType === 'tag') tags.push({ ...tag, nested: peeledId });
    else tags.push(tag);
  }
  return tags;
}

/** Reads what `for-each-ref` prints for `%(refname)`. */
export function namesOf(output: Buffer): string[] {
  return output
    .toString('utf8')
    .split('\n')
    .filter((ref) => ref !== '')
    .map((ref) => ref.slice('refs/tags/'.length));
}

/** A tag as the remote has it at this moment: the object, and what it is peeled to. */
export interface RemoteTag {
  readonly object: string;
  readonly commit: string;
}

/**
 * The tags of a remote by name, asked for now and without fetching anything. An empty map is an answer; a remote
 * that does not answer is a Failure.
 */
export async function listRemoteTags(git: Git, remote: Remote): Promise<ReadonlyMap<string, RemoteTag>> {
  const gitDir = git.place('none');
  const output = await git.text({
    args: [
      'ls-remote',
      '--quiet',
      '--tags',
      ...farSide(remote, 'upload-pack'),
      '--end-of-options',
      remote.url,
    ],
    gitDir,
    remote,
  });
  return parseRemoteTags(output);
}

/** Reads `ls-remote --tags`: `<id> TAB refs/tags/<name>`, annotated tags once more with `^{}` for what they stand for. */
export function parseRemoteTags(output: string): Map<string, RemoteTag> {
  const tags = new Map<string, RemoteTag>();
  for (const line of output.split('\n')) {
    if (line === '') continue;
    const [id, ref] = line.split('\t');
    if (id === undefined || ref === undefined || !ref.startsWith('refs/tags/')) {
      throw new Failure(
        'git-failed',
        `ls-remote wrote a line that is no ref: ${JSON.stringify(line.slice(0, 100))}.`,
      );
    }
    const name = ref.slice('refs/tags/'.length);
    if (name.endsWith('^{}')) {
      const plain = name.slice(0, -3);
      tags.set(plain, { object: tags.get(plain)?.object ?? id, commit: id });
    } else {
      tags.set(name, { object: id, commit: tags.get(name)?.commit ?? id });
    }
  }
  return tags;
}
