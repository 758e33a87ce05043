import type { Forge, ForgeComment, ForgePullRequest, ForgeUser, Permission } from '../../forge/forge.ts';
import { Failure } from '../../outcome.ts';
import { answeredBy } from '../../report/pull-request-comment.ts';
import { type AdmissionFacts, pendingSince, type StatusLine } from '../../rules/admission.ts';
import { type CommentCommand, readComment } from '../../rules/comment.ts';
import type { FreeStepInput } from '../step.ts';
import { lastEnded } from './on-drone.ts';

const HOUR_MS = 3_600_000;

/** What an admission is decided on, and what answering it needs besides. */
export interface KnownFacts {
  readonly facts: AdmissionFacts;
  readonly pull: ForgePullRequest | undefined;
  /** Page of the run that holds the head. */
  readonly holderUrl: string | undefined;
}

/** Asks the forge for everything that the decision needs. An unanswered question about a person is "no". */
export async function factsOf(
  input: FreeStepInput,
  forge: Forge,
  told: {
    readonly action: AdmissionFacts['action'];
    readonly comment: ForgeComment;
    readonly command: CommentCommand;
    readonly issueNumber: number;
  },
): Promise<KnownFacts> {
  const { settings } = input;
  const { comment, command, issueNumber } = told;
  const { author } = comment;
  const botAllowed =
    author.bot && settings.allowUsers.some((user) => user === String(author.id) || user === author.login);
  const base = {
    command,
    action: told.action,
    comment: { edited: comment.createdAt !== comment.updatedAt, byBot: author.bot, botAllowed },
  };
  const noneAsked = { running: false, asked: { onPullRequest: 0, byUser: 0 } };
  if (author.bot && !botAllowed) {
    return { facts: { ...base, ...noneAsked, permission: 'none' }, pull: undefined, holderUrl: undefined };
  }
  const pull = await forge.pullRequest(issueNumber);
  const permission = await permissionOf(forge, author, input);
  if (pull === undefined || (permission !== 'write' && permission !== 'admin' && !botAllowed)) {
    // No further request for a stranger: their comments would cost us our rate limit.
    const seen = pull === undefined ? {} : { pull: await pullFacts(input, forge, pull, 'unknown', false) };
    return { facts: { ...base, ...seen, ...noneAsked, permission }, pull, holderUrl: undefined };
  }
  const authorPermission = await permissionOf(forge, pull.author, input);
  const holder = await holderAt(input, forge, pull.head.commit);
  return {
    facts: {
      ...base,
      permission,
      pull: await pullFacts(input, forge, pull, authorPermission, true),
      running: holder !== undefined,
      asked: await askedLately(input, forge, comment, issueNumber),
    },
    pull,
    holderUrl: holder?.targetUrl,
  };
}

/**
 * Commands of the last hour that were not refused: a stranger's are answered with a refusal, so that nobody without
 * permission can use up what a pull request may ask.
 */
async function askedLately(
  { settings, now }: FreeStepInput,
  forge: Forge,
  comment: ForgeComment,
  issueNumber: number,
): Promise<AdmissionFacts['asked']> {
  const all = await forge.comments(issueNumber);
  const answered = all.filter(({ body }) => answeredBy(body) !== undefined);
  // Who we are costs two requests with an app's token: asked only where something claims to be ours.
  const me = answered.length === 0 ? undefined : await forge.me();
  const refused = new Set(
    answered.filter(({ author }) => author.id === me?.id).map(({ body }) => answeredBy(body)),
  );
  const counted = all.filter(
    ({ id, createdAt, body }) =>
      now().getTime() - Date.parse(createdAt) < HOUR_MS &&
      !refused.has(id) &&
      readComment(body, settings.command, settings.allowArguments).kind === 'run',
  );
  return {
    onPullRequest: counted.length,
    byUser: counted.filter(({ author }) => author.id === comment.author.id).length,
  };
}

async function permissionOf(
  forge: Forge,
  user: ForgeUser,
  { log }: FreeStepInput,
): Promise<Permission | 'unknown'> {
  try {
    return await forge.permission(user);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.info(`The permission of user ${user.id} could not be read, which counts as none: ${error.message}`);
    return 'unknown';
  }
}

async function pullFacts(
  input: FreeStepInput,
  forge: Forge,
  pull: ForgePullRequest,
  authorPermission: Permission | 'unknown',
  withFiles: boolean,
): Promise<NonNullable<AdmissionFacts['pull']>> {
  const fork = pull.head.repositoryId !== pull.base.repositoryId;
  const stranger = fork || (authorPermission !== 'write' && authorPermission !== 'admin');
  return {
    open: pull.state === 'open',
    locked: pull.locked,
    head: pull.head.commit,
    fork,
    authorPermission,
    changesHarness: withFiles && stranger && (await changesHarness(input, forge, pull.number)),
  };
}

/** Whether the pull request changes what it would be tested with: compose files, env file, scripts. */
async function changesHarness({ tools }: FreeStepInput, forge: Forge, number: number): Promise<boolean> {
  const harness = new Set(await tools.harnessPaths());
  if (harness.size === 0) return false;
  return (await forge.changedFiles(number)).some((path) => harness.has(path));
}

export interface Holder extends StatusLine {
  readonly targetUrl: string | undefined;
}

/**
 * The `pending` that holds a commit. Where its run is a build on Drone that ended without a word (it was killed, or
 * its machine was lost), nothing holds it any more.
 */
export async function holderAt(
  input: FreeStepInput,
  forge: Forge,
  commit: string,
): Promise<Holder | undefined> {
  const { settings, now } = input;
  const lines = (await forge.statuses(commit)).map((status) => ({
    ...status,
    targetUrl: status.targetUrl,
    at: Date.parse(status.createdAt),
  }));
  const pending = pendingSince(lines, settings.contextName, now().getTime());
  if (pending.length === 0 || settings.mode !== 'drone') return pending[0];
  const ended = await lastEnded(
    input,
    pending.map(({ targetUrl }) => targetUrl),
  );
  return pending[ended + 1];
}
