import type { Forge, ForgeComment, ForgePullRequest, ForgeUser, Permission } from '../forge/forge.ts';
import { Failure } from '../outcome.ts';
import type { ReasonCode } from '../reasons.ts';
import { answerMarker, refusalAnswer } from '../report/pull-request-comment.ts';
import { type Admission, type AdmissionFacts, admit, holderOf, type StatusLine } from '../rules/admission.ts';
import { type CommentCommand, readComment } from '../rules/comment.ts';
import { at, isObject, numberOf, textOf } from '../untrusted/fields.ts';
import type { FreeStep, FreeStepInput, StepResult } from './step.ts';

const HOUR_MS = 3_600_000;

/**
 * Reads a comment event and decides whether a run may start. The payload only says which comment; what counts is
 * asked from the forge. Where the comment's run happens elsewhere (`mode: drone`), it is started there.
 */
export const step: FreeStep = {
  name: 'testme',
  about: 'project',
  async run(input) {
    const { event, settings, log } = input;
    // A build that `mode: drone` started has its commit as a parameter, and was admitted before.
    if (event.kind !== 'comment') return event.host === 'drone' ? startedBuild(input) : notForUs();
    const { action, commentId, issueNumber } = eventOf(event.payload());
    if (action !== 'created' || commentId === undefined || issueNumber === undefined) return notForUs();

    const forge = await input.tools.forge();
    const comment = await forge.comment(commentId);
    if (comment === undefined) return notForUs();
    const command = readComment(comment.body, settings.command, settings.allowArguments);
    if (command.kind === 'none') return notForUs();

    const known = await facts(input, forge, { action, comment, command, issueNumber });
    const admission = admit(known.facts);
    if (admission.verdict === 'silent') return notForUs();
    if (admission.verdict === 'refused') {
      await answer(forge, issueNumber, comment, admission.reason, command, known.pull, known.holderUrl);
      log.info(`The command of comment ${comment.id} was refused and answered.`);
      return refusal(admission.reason);
    }
    return start(input, forge, comment, command, admission, issueNumber);
  },
};

function notForUs(): StepResult {
  return { outcome: 'skipped', reasons: ['not-testme'], outputs: { accepted: 'false' } };
}

function refusal(reason: ReasonCode): StepResult {
  return { outcome: 'skipped', reasons: [reason], outputs: { accepted: 'false' } };
}

/** On Drone: the parameters that the server was given are the settings already; without them there is no command. */
function startedBuild({ settings }: FreeStepInput): StepResult {
  if (settings.candidate === undefined || settings.pullRequest === undefined) return notForUs();
  return {
    outcome: 'done',
    reasons: ['admitted'],
    outputs: {
      accepted: 'true',
      sha: settings.candidate,
      'pull-request': String(settings.pullRequest),
      arguments: JSON.stringify(settings.arguments),
    },
  };
}

function eventOf(payload: unknown): {
  action: AdmissionFacts['action'];
  commentId: number | undefined;
  issueNumber: number | undefined;
} {
  const action = textOf(at(payload, 'action'));
  return {
    action: action === 'created' || action === 'edited' || action === 'deleted' ? action : 'other',
    commentId: numberOf(at(payload, 'comment', 'id')),
    issueNumber: isObject(at(payload, 'issue')) ? numberOf(at(payload, 'issue', 'number')) : undefined,
  };
}

/** Asks the forge for everything that the decision needs. An unanswered question about a person is "no". */
async function facts(
  input: FreeStepInput,
  forge: Forge,
  told: {
    action: AdmissionFacts['action'];
    comment: ForgeComment;
    command: CommentCommand;
    issueNumber: number;
  },
): Promise<{ facts: AdmissionFacts; pull: ForgePullRequest | undefined; holderUrl: string | undefined }> {
  const { settings, now } = input;
  const { comment, command, issueNumber } = told;
  const pull = await forge.pullRequest(issueNumber);
  const permission = await permissionOf(forge, comment.author, input);
  const botAllowed =
    comment.author.bot &&
    settings.allowUsers.some((user) => user === String(comment.author.id) || user === comment.author.login);
  const base = {
    command,
    action: told.action,
    comment: { edited: comment.createdAt !== comment.updatedAt, byBot: comment.author.bot, botAllowed },
    permission,
  };
  if (pull === undefined || (permission !== 'write' && permission !== 'admin' && !botAllowed)) {
    // No further request for a stranger: their comments would cost us our rate limit.
    const asked = { onPullRequest: 0, byUser: 0 };
    const seen = pull === undefined ? {} : { pull: await pullFacts(input, forge, pull, 'unknown', false) };
    return { facts: { ...base, ...seen, running: false, asked }, pull, holderUrl: undefined };
  }
  const authorPermission = await permissionOf(forge, pull.author, input);
  const recent = (await forge.comments(issueNumber)).filter(
    ({ createdAt, body }) =>
      now().getTime() - Date.parse(createdAt) < HOUR_MS &&
      readComment(body, settings.command, settings.allowArguments).kind === 'run',
  );
  const holder = await holderAt(input, forge, pull.head.commit);
  return {
    facts: {
      ...base,
      pull: await pullFacts(input, forge, pull, authorPermission, true),
      running: holder !== undefined,
      asked: {
        onPullRequest: recent.length,
        byUser: recent.filter(({ author }) => author.id === comment.author.id).length,
      },
    },
    pull,
    holderUrl: holder?.targetUrl,
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
    log.detail(`The permission of user ${user.id} could not be read: ${error.message}`);
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

interface Holder extends StatusLine {
  readonly targetUrl: string | undefined;
}

async function holderAt(
  { settings, now }: FreeStepInput,
  forge: Forge,
  commit: string,
): Promise<Holder | undefined> {
  const statuses = (await forge.statuses(commit)).map((status) => ({
    ...status,
    at: Date.parse(status.createdAt),
  }));
  const holder = holderOf(statuses, settings.contextName, now().getTime());
  if (holder === undefined) return undefined;
  return { ...holder, targetUrl: statuses.find(({ id }) => id === holder.id)?.targetUrl };
}

/** Exactly one answer to a command, found again by its marker and our own id. */
async function answer(
  forge: Forge,
  issueNumber: number,
  comment: ForgeComment,
  reason: ReasonCode,
  command: CommentCommand,
  pull: ForgePullRequest | undefined,
  runUrl: string | undefined,
): Promise<void> {
  const [me, all] = await Promise.all([forge.me(), forge.comments(issueNumber)]);
  if (all.some(({ author, body }) => author.id === me.id && body.startsWith(answerMarker(comment.id))))
    return;
  const named = command.kind === 'run' ? command.commit : undefined;
  const moved = reason === 'head-moved' && pull !== undefined;
  const body = refusalAnswer(comment.id, reason, {
    ...('word' in command ? { word: command.word } : {}),
    ...(pull !== undefined && (moved || reason === 'sha-required') ? { head: pull.head.commit } : {}),
    ...(moved && named !== undefined ? { compareUrl: compareUrl(pull, named) } : {}),
    ...(runUrl === undefined ? {} : { runUrl }),
  });
  await forge.createComment(issueNumber, body);
}

/** The forge's page of what is new since the named commit. */
function compareUrl(pull: ForgePullRequest, since: string): string {
  const repository = pull.url.replace(/\/(?:pull|pulls)\/\d+$/, '');
  return `${repository}/compare/${since}...${pull.head.commit}`;
}

async function start(
  input: FreeStepInput,
  forge: Forge,
  comment: ForgeComment,
  command: CommentCommand,
  admission: Extract<Admission, { verdict: 'admitted' }>,
  issueNumber: number,
): Promise<StepResult> {
  const { settings, event, log } = input;
  const { commit, trusted } = admission;
  if (settings.dryRun) {
    log.info(`Would start a run of ${commit}.`);
    return admitted(admission, command, issueNumber);
  }
  await forge.react(comment.id, 'eyes');
  const url = event.run.url;
  await forge.setStatus(commit, {
    state: 'pending',
    context: settings.contextName,
    description: `Asked for by comment ${comment.id}`,
    ...(url === undefined ? {} : { targetUrl: url }),
  });
  // Two comments at once: both wrote, now both read; the forge's order decides.
  const holder = await holderAt(input, forge, commit);
  if (holder !== undefined && url !== undefined && holder.targetUrl !== url) {
    await answer(forge, issueNumber, comment, 'busy', command, undefined, holder.targetUrl);
    return refusal('busy');
  }
  if (settings.mode === 'drone') await startOnDrone(input, forge, commit, command, issueNumber);
  log.info(`A run of ${commit} may start (${trusted ? 'trusted' : 'untrusted: no secrets'}).`);
  return admitted(admission, command, issueNumber);
}

function admitted(
  { commit, trusted, notes }: Extract<Admission, { verdict: 'admitted' }>,
  command: CommentCommand,
  issueNumber: number,
): StepResult {
  return {
    outcome: 'done',
    reasons: ['admitted', ...notes],
    outputs: {
      accepted: 'true',
      sha: commit,
      'pull-request': String(issueNumber),
      arguments: JSON.stringify(command.kind === 'run' ? command.arguments : {}),
      trusted: String(trusted),
    },
  };
}

async function startOnDrone(
  { settings, event, tools, log }: FreeStepInput,
  forge: Forge,
  commit: string,
  command: CommentCommand,
  issueNumber: number,
): Promise<void> {
  const { slug, defaultBranch } = event.repository;
  const branch = settings.releaseBranch ?? defaultBranch;
  if (slug === undefined || branch === undefined) {
    throw new Failure('setting-missing', 'The release branch of the repository is not known.', {
      remedy: 'Set `release-branch`.',
    });
  }
  const words = command.kind === 'run' ? command.arguments : {};
  const parameters = Object.fromEntries(
    Object.entries(words).map(([name, value]) => [
      `KNOWNGOOD_ARG_${name.toUpperCase().replaceAll('-', '_')}`,
      value,
    ]),
  );
  const server = await tools.droneServer();
  const build = await server.start({
    slug,
    branch,
    parameters: { ...parameters, KNOWNGOOD_CANDIDATE: commit, KNOWNGOOD_PULL_REQUEST: String(issueNumber) },
  });
  log.info(`Drone runs it as build ${build.number}: ${build.url}`);
  await forge.setStatus(commit, {
    state: 'pending',
    context: settings.contextName,
    description: `Drone build ${build.number}`,
    targetUrl: build.url,
  });
}
