/** What a forge double knows: plain data, that a test writes and reads. */
export interface User {
  readonly id: number;
  readonly login: string;
  readonly bot?: boolean;
}

export interface Comment {
  readonly id: number;
  readonly issue: number;
  readonly user: User;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
}

export interface Pull {
  readonly number: number;
  state: 'open' | 'closed';
  locked: boolean;
  readonly author: User;
  head: string;
  /** `null`: the fork was deleted. */
  headRepository: number | null;
  files: readonly string[];
}

export interface Status {
  readonly id: number;
  readonly commit: string;
  readonly context: string;
  readonly state: string;
  readonly description: string;
  readonly targetUrl: string;
  readonly createdAt: string;
}

export const REPOSITORY_ID = 4711;
export const OWNER = 'Acme';
export const NAME = 'HedgeDoc';

export const robin: User = { id: 99, login: 'robin' };
export const mallory: User = { id: 666, login: 'mallory' };
export const kim: User = { id: 7, login: 'kim' };
export const ourBot: User = { id: 41898282, login: 'github-actions[bot]', bot: true };

/** A repository with people, pull requests and what was said; robin maintains it. */
export class World {
  readonly me: User;
  readonly users: User[] = [robin, mallory, kim];
  readonly permissions = new Map<string, string>([['robin', 'admin']]);
  /** People of the organisation that owns the repository. */
  readonly members = new Set<string>();
  readonly pulls: Pull[] = [];
  readonly issues: number[] = [];
  readonly comments: Comment[] = [];
  readonly statuses: Status[] = [];
  readonly reactions: { comment: number; content: string }[] = [];
  private next = 1000;

  constructor(me: User = ourBot) {
    this.me = me;
    this.users.push(me);
  }

  id(): number {
    return this.next++;
  }

  pull(pull: Partial<Pull> & { number: number; head: string }): Pull {
    const made: Pull = {
      state: 'open',
      locked: false,
      author: robin,
      headRepository: REPOSITORY_ID,
      files: ['README.md'],
      ...pull,
    };
    this.pulls.push(made);
    return made;
  }

  comment(issue: number, user: User, body: string, createdAt = now()): Comment {
    const made: Comment = { id: this.id(), issue, user, body, createdAt, updatedAt: createdAt };
    this.comments.push(made);
    return made;
  }

  edit(comment: Comment, body: string): void {
    comment.body = body;
    comment.updatedAt = new Date(Date.parse(comment.createdAt) + 60_000).toISOString().replace(/\.\d+/, '');
  }

  status(commit: string, state: string, more: Partial<Status> = {}): Status {
    const made: Status = {
      id: this.id(),
      commit,
      state,
      context: 'knowngood/test',
      description: '',
      targetUrl: '',
      createdAt: now(),
      ...more,
    };
    this.statuses.push(made);
    return made;
  }

  /** States of our status on a commit, oldest first. */
  states(commit: string, context = 'knowngood/test'): string[] {
    return this.statuses
      .filter((status) => status.commit === commit && status.context === context)
      .map(({ state }) => state);
  }

  /** Comments that our own account wrote. */
  ours(): Comment[] {
    return this.comments.filter(({ user }) => user.id === this.me.id);
  }
}

/** Forges tell whole seconds. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d+/, '');
}
