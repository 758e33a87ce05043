/** A user as the forge knows them: the id decides, the login is for people (and is untrusted text). */
export interface ForgeUser {
  readonly id: number;
  readonly login: string;
  readonly bot: boolean;
}

export interface ForgeComment {
  readonly id: number;
  readonly author: ForgeUser;
  readonly body: string;
  /** RFC 3339. Differs from `createdAt` where the text was edited. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly url: string;
}

export interface ForgePullRequest {
  readonly number: number;
  readonly state: 'open' | 'closed';
  readonly locked: boolean;
  readonly author: ForgeUser;
  readonly head: {
    readonly commit: string /** `undefined` where the repository is gone. */;
    readonly repositoryId?: number;
  };
  readonly base: { readonly branch: string; readonly repositoryId: number };
  readonly url: string;
}

/** What a user may do in the repository; GitHub's `triage` counts as `read`. */
export type Permission = 'none' | 'read' | 'write' | 'admin';

export type StatusState = 'pending' | 'success' | 'failure' | 'error';

export interface ForgeStatus {
  readonly id: number;
  readonly context: string;
  readonly state: StatusState;
  readonly targetUrl?: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly creatorId?: number;
}

export interface ForgeIssue {
  readonly number: number;
  readonly author: ForgeUser;
  readonly body: string;
  readonly state: 'open' | 'closed';
  readonly url: string;
  readonly updatedAt: string;
}

export interface ForgeRelease {
  readonly tag: string;
  readonly draft: boolean;
  readonly prerelease: boolean;
  readonly url: string;
}

/**
 * A forge over REST, for one repository. `undefined` means a 404, and nothing else: all other answers that are no
 * success are Failures (`forge-denied`, `forge-unreachable`, `forge-failed`). Requests go to the configured API only,
 * never to an address from a payload.
 */
export interface Forge {
  readonly kind: 'github' | 'gitea' | 'forgejo';
  /** The account that our token belongs to. */
  me(): Promise<ForgeUser>;
  comment(id: number): Promise<ForgeComment | undefined>;
  /** All comments of an issue or pull request, oldest first; bounded. */
  comments(number: number): Promise<readonly ForgeComment[]>;
  createComment(number: number, body: string): Promise<ForgeComment>;
  editComment(id: number, body: string): Promise<ForgeComment>;
  /** Only ever one of ours. One that is gone already is no failure. */
  deleteComment(id: number): Promise<void>;
  react(commentId: number, reaction: 'eyes' | '+1' | '-1' | 'confused'): Promise<void>;
  pullRequest(number: number): Promise<ForgePullRequest | undefined>;
  /** Paths that the pull request changes; bounded, and a Failure where there are more. */
  changedFiles(number: number): Promise<readonly string[]>;
  /** Asked from the forge by login, and only believed where the answer is about this id. 404 is `none`. */
  permission(user: ForgeUser): Promise<Permission>;
  setStatus(
    commit: string,
    status: { state: StatusState; context: string; description: string; targetUrl?: string },
  ): Promise<void>;
  /** All statuses of a commit, newest first; bounded. */
  statuses(commit: string): Promise<readonly ForgeStatus[]>;
  /** Open issues by this author, newest first; bounded. */
  issuesBy(user: ForgeUser): Promise<readonly ForgeIssue[]>;
  createIssue(issue: { title: string; body: string; labels?: readonly string[] }): Promise<ForgeIssue>;
  editIssue(
    number: number,
    change: { title?: string; body?: string; state?: 'open' | 'closed' },
  ): Promise<ForgeIssue>;
  releases(): Promise<readonly ForgeRelease[]>;
  /** Facts of the repository for labels. */
  repository(): Promise<{
    description?: string;
    homepage?: string;
    licence?: string;
    url: string;
    private: boolean;
  }>;
}
