import type { Git } from './git.ts';
import type { Remote } from './remote.ts';

/** A full commit id, 40 (or 64) lower-case hex digits. */
export type CommitId = string;

/** What a commit changes: path (relative, `/` between parts) → new content, or `null` to remove the file. */
export type Changes = Readonly<Record<string, Uint8Array | string | null>>;

export interface CommitRequest {
  readonly changes: Changes;
  /** The commit to build on; `undefined` makes a root commit, whose tree holds the changes only. */
  readonly parent: CommitId | undefined;
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Author and committer date; given in, because rooms below the entry have no clock. */
  readonly at: Date;
}

/**
 * How a push ended where the remote answered: `rejected` only when the branch had moved (or came into being, or
 * is being written at this moment), so that reading it again and trying again is right. All else is a Failure:
 * `git-denied` (no permission, protected branch), `git-unreachable` (not answered: the push may or may not have
 * landed; ask `contains`), `git-failed`.
 */
export type PushOutcome = 'landed' | 'rejected';

/**
 * One branch of a remote, read and written without a checkout: a bare repository of our own that knows the tip
 * of the branch only (depth 1). Every push is a plain fast-forward of one commit, never forced: that makes it a
 * compare-and-swap on the branch.
 *
 * Every method but `close` may fail with `git-denied`, `git-unreachable` or `git-failed`.
 */
export interface BareRepository {
  /** Fetches the branch as the remote has it now. `undefined`: the remote answered, and has no such branch. */
  fetchTip(branch: string): Promise<CommitId | undefined>;
  /** The content of a file of a fetched commit; `undefined` where the path is absent or is no regular file. */
  readFile(commit: CommitId, path: string, limitBytes?: number): Promise<Uint8Array | undefined>;
  /** The names in a folder of a fetched commit (folders end with `/`); empty where the folder is absent. `''` is the root. */
  list(commit: CommitId, folder: string): Promise<readonly string[]>;
  /** Writes a commit into our own repository; nothing is sent. The same request gives the same commit id. */
  writeCommit(request: CommitRequest): Promise<CommitId>;
  /** Sends the commit as the new tip of the branch; creates the branch where there is none. */
  push(commit: CommitId, branch: string): Promise<PushOutcome>;
  /** Whether the branch, as the remote has it now, contains the commit: the question after a push that was cut. */
  contains(branch: string, commit: CommitId): Promise<boolean>;
  /** Removes the folder of the repository. */
  close(): Promise<void>;
}

/** Makes the empty bare repository for this remote in the runner's scratch folder; asks the remote nothing yet. */
export declare function openBareRepository(git: Git, remote: Remote): Promise<BareRepository>;
