import type { Forge, ForgeComment, ForgePullRequest } from '../../forge/forge.ts';
import type { ReasonCode } from '../../reasons.ts';
import { answeredBy, refusalAnswer } from '../../report/pull-request-comment.ts';
import type { CommentCommand } from '../../rules/comment.ts';

/** A refused command, and what its answer can tell. */
export interface Refusal {
  readonly issueNumber: number;
  readonly comment: ForgeComment;
  readonly reason: ReasonCode;
  readonly command: CommentCommand;
  readonly pull?: ForgePullRequest | undefined;
  /** Page of the run that is under way. */
  readonly runUrl?: string | undefined;
}

/** Writes exactly one answer to a command: one that is there already is found by its marker and our own id. */
export async function answerOnce(
  forge: Forge,
  refusal: Refusal,
  redact: (text: string) => string,
): Promise<void> {
  const { comment, issueNumber } = refusal;
  const [me, all] = await Promise.all([forge.me(), forge.comments(issueNumber)]);
  if (all.some(({ author, body }) => author.id === me.id && answeredBy(body) === comment.id)) return;
  await forge.createComment(issueNumber, redact(bodyOf(refusal)));
}

function bodyOf({ comment, reason, command, pull, runUrl }: Refusal): string {
  const named = command.kind === 'run' ? command.commit : undefined;
  const tellsHead = pull !== undefined && (reason === 'head-moved' || reason === 'sha-required');
  return refusalAnswer(comment.id, reason, {
    ...('word' in command ? { word: command.word } : {}),
    ...(tellsHead ? { head: pull.head.commit } : {}),
    ...(tellsHead && reason === 'head-moved' && named !== undefined
      ? { compareUrl: compareUrl(pull, named) }
      : {}),
    ...(tellsHead && reason === 'sha-required' ? { changesUrl: `${pull.url}/files` } : {}),
    ...(runUrl === undefined || reason !== 'busy' ? {} : { runUrl }),
  });
}

/** The forge's page of what is new since the named commit. */
function compareUrl(pull: ForgePullRequest, since: string): string {
  const repository = pull.url.replace(/\/(?:pull|pulls)\/\d+$/, '');
  return `${repository}/compare/${since}...${pull.head.commit}`;
}
