import { createHash } from 'node:crypto';
import { Failure } from '../outcome.ts';
import type { ObjectSource } from './objects.ts';
import { objectId } from './refs.ts';

/** What a commit says. */
export interface CommitFacts {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** Committer time, RFC 3339 UTC. The committer wrote it: good for reproducible timestamps, proof of nothing. */
  readonly committedAt: string;
}

/** The commit, or `undefined` where the repository lacks it. Fails where the object is not what its id says. */
export async function readCommit(source: ObjectSource, id: string): Promise<CommitFacts | undefined> {
  const { code, stdout } = await source.git.run({
    ...source.call,
    args: ['cat-file', 'commit', objectId(id)],
    accept: [0, 128],
  });
  if (code !== 0) return undefined;
  // git believes the name of a loose object; a checkout's objects can be written by anything that ran before us.
  if (hashObject('commit', stdout, id.length) !== id) {
    throw new Failure('git-failed', `The commit ${id} is damaged: its content has another id.`);
  }
  const [head = ''] = stdout.toString('latin1').split('\n\n', 1);
  const lines = head.split('\n');
  const value = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const seconds = Number(/ (-?\d{1,12}) [+-]\d{4}$/.exec(value('committer')[0] ?? '')?.[1] ?? 0);
  return { id, tree: value('tree')[0] ?? '', parents: value('parent'), committedAt: rfc3339(seconds) };
}

/** The id of an object with this content: SHA-1, or SHA-256 where ids have 64 digits. */
export function hashObject(type: 'blob' | 'tree' | 'commit', content: Uint8Array, digits: number): string {
  return createHash(digits === 64 ? 'sha256' : 'sha1')
    .update(`${type} ${content.length}\0`)
    .update(content)
    .digest('hex');
}

function rfc3339(seconds: number): string {
  // Before 1970 or after 9999 no format that takes this time would be valid.
  const bounded = Math.min(Math.max(seconds, 0), 253_402_300_799);
  return new Date(bounded * 1000).toISOString().replace('.000Z', 'Z');
}
