import type { Forge, ForgeComment } from '../forge/forge.ts';
import { Failure } from '../outcome.ts';
import { type ReasonCode, reasons } from '../reasons.ts';
import { type Admission, type AdmissionFacts, admit } from '../rules/admission.ts';
import { type CommentCommand, readComment } from '../rules/comment.ts';
import { at, isObject, numberOf, textOf } from '../untrusted/fields.ts';
import type { FreeStep, FreeStepInput, StepResult } from './step.ts';
import { answerOnce } from './testme/answer.ts';
import { factsOf, holderAt } from './testme/facts.ts';
import { startOnDrone } from './testme/on-drone.ts';

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

    const { facts, pull, holderUrl } = await factsOf(input, forge, { action, comment, command, issueNumber });
    const admission = admit(facts);
    if (admission.verdict === 'silent') return notForUs();
    const asked: Asked = { comment, command, issueNumber };
    if (admission.verdict === 'refused') {
      const { reason } = admission;
      if (settings.dryRun) log.info(`Would answer comment ${comment.id} with ${reason}.`);
      else await answerOnce(forge, { ...asked, reason, pull, runUrl: holderUrl }, log.redact);
      return refusal(asked, reason, log);
    }
    return start(input, forge, asked, admission);
  },
};

/** The command of one comment. */
interface Asked {
  readonly comment: ForgeComment;
  readonly command: CommentCommand;
  readonly issueNumber: number;
}

type Admitted = Extract<Admission, { verdict: 'admitted' }>;

function notForUs(): StepResult {
  return { outcome: 'skipped', reasons: ['not-testme'], outputs: { accepted: 'false' } };
}

function refusal({ comment, issueNumber }: Asked, reason: ReasonCode, log: FreeStepInput['log']): StepResult {
  const { sentence, remedy } = reasons[reason];
  log.info(`The command of comment ${comment.id} was refused (${reason}): ${sentence} ${remedy}`);
  return {
    outcome: 'skipped',
    reasons: [reason],
    outputs: { accepted: 'false', 'pull-request': String(issueNumber) },
    summary: `Comment ${comment.id} on #${issueNumber} starts nothing: ${sentence} ${remedy}`,
  };
}

/** On Drone: the parameters that the server was given are the settings already; without them there is no command. */
function startedBuild({ settings, log }: FreeStepInput): StepResult {
  const { candidate, pullRequest } = settings;
  if (candidate === undefined || pullRequest === undefined) return notForUs();
  log.info(`This build is of ${candidate}, the head of #${pullRequest} when its command was admitted.`);
  return {
    outcome: 'done',
    reasons: ['admitted'],
    outputs: {
      accepted: 'true',
      sha: candidate,
      'pull-request': String(pullRequest),
      arguments: JSON.stringify(settings.arguments),
      // Whose commit it is, a parameter does not tell: it is tested as a stranger's.
      trusted: 'false',
    },
    summary: `Tests \`${candidate}\`, the head of #${pullRequest} when the command was admitted.`,
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

async function start(
  input: FreeStepInput,
  forge: Forge,
  asked: Asked,
  admission: Admitted,
): Promise<StepResult> {
  const { settings, event, log } = input;
  const { comment, command, issueNumber } = asked;
  const { commit, trusted } = admission;
  if (settings.dryRun) {
    log.info(`Would start a run of ${commit}.`);
    return admitted(asked, admission);
  }
  await forge.react(comment.id, 'eyes');
  const url = event.run.url;
  const status = { context: settings.contextName, ...(url === undefined ? {} : { targetUrl: url }) };
  await forge.setStatus(commit, {
    ...status,
    state: 'pending',
    description: `Asked for by comment ${comment.id}`,
  });
  try {
    // Two comments at once: both wrote, now both read; the forge's order decides.
    const holder = await holderAt(input, forge, commit);
    if (holder !== undefined && url !== undefined && holder.targetUrl !== url) {
      await answerOnce(forge, { ...asked, reason: 'busy', runUrl: holder.targetUrl }, log.redact);
      return refusal(asked, 'busy', log);
    }
    if (settings.mode === 'drone') {
      await startOnDrone(input, forge, { commit, pullRequest: issueNumber, command });
    }
  } catch (error) {
    // Nothing runs, and no later job would take this `pending` back.
    const description = error instanceof Failure ? `Not started: ${error.code}` : 'Not started';
    await forge.setStatus(commit, { ...status, state: 'error', description }).catch(() => undefined);
    throw error;
  }
  log.info(`A run of ${commit} may start (${trusted ? 'trusted' : 'untrusted: no secrets'}).`);
  return admitted(asked, admission);
}

function admitted(
  { comment, command, issueNumber }: Asked,
  { commit, trusted, notes }: Admitted,
): StepResult {
  const words = command.kind === 'run' ? command.arguments : {};
  return {
    outcome: 'done',
    reasons: ['admitted', ...notes],
    outputs: {
      accepted: 'true',
      sha: commit,
      'pull-request': String(issueNumber),
      arguments: JSON.stringify(words),
      trusted: String(trusted),
    },
    summary: [
      `Comment ${comment.id} on #${issueNumber} starts a run of \`${commit}\``,
      trusted ? '.' : ', which is not trusted: without secrets, tested by the release branch’s rules.',
      ...notes.map((note) => ` ${reasons[note].sentence}`),
    ].join(''),
  };
}
