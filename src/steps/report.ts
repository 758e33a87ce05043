import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileInside } from '../dossier/file-inside.ts';
import { readDossier } from '../dossier/store.ts';
import type { Forge, StatusState } from '../forge/forge.ts';
import { Failure } from '../outcome.ts';
import { isAbout, REPORT_MARKER, reportComment } from '../report/pull-request-comment.ts';
import { type ReportedDossier, reportedDossier } from '../report/reported-dossier.ts';
import { reportedState } from '../rules/reported-state.ts';
import type { FreeStep, FreeStepInput, StepResult } from './step.ts';

/**
 * Writes the commit status and the one comment of a pull request. Commit and pull request come from settings only:
 * the dossier was written beside foreign code. Whatever happens, no `pending` is left behind.
 */
export const step: FreeStep = {
  name: 'report',
  about: 'project',
  run: (input) => report(input, (commit) => dossierOf(input, commit)),
  // A hand-off that is not of this run is no hand-off; the commit still gets its answer.
  withoutOut: (input, failure) => report(input, () => ({ dossier: undefined, failure })),
};

/** What was handed on about a commit, or why nothing was. */
interface HandedOn {
  readonly dossier: ReportedDossier | undefined;
  readonly failure?: Failure;
}

type ReportInput = Omit<FreeStepInput, 'out'>;

async function report(input: ReportInput, read: (commit: string) => HandedOn): Promise<StepResult> {
  const { settings, tools, event, log } = input;
  const commit = settings.candidate;
  const number = settings.pullRequest;
  if (commit === undefined || number === undefined) {
    // A build on Drone that no comment started has neither.
    if (event.host === 'drone' && commit === undefined && number === undefined) {
      return { outcome: 'skipped', reasons: ['not-testme'], outputs: {} };
    }
    throw new Failure('setting-missing', '`report` needs `candidate` and `pull-request`.', {
      remedy: 'Hand on the outputs `sha` and `pull-request` of `testme`.',
    });
  }
  const { dossier, failure } = read(commit);
  const state = reportedState(dossier?.test?.verdict, settings.jobResult);
  const body = (head: string | undefined): string => {
    const { jobResult } = settings;
    const { url } = event.run;
    return log.redact(reportComment({ commit, head, state, jobResult, url, dossier, why: failure?.code }));
  };
  if (settings.dryRun) {
    log.info(`Would set ${state} on ${commit} and write to pull request ${number}:`);
    log.foreign(body(undefined));
    return { outcome: 'done', reasons: ['reported'], outputs: {} };
  }
  const forge = await tools.forge();
  // The status first, before anything else that may fail: it is what must not stay pending.
  await setStatus(input, forge, commit, state, failure);
  log.info(`The status of ${commit} is ${state}.`);
  const head = (await forge.pullRequest(number))?.head.commit;
  const commentUrl = await upsert(forge, number, { commit, head, body: body(head) });
  log.info(`The result is told in ${commentUrl}`);
  if (failure !== undefined) throw failure;
  return {
    outcome: 'done',
    reasons: ['reported'],
    outputs: { 'comment-url': commentUrl },
    summary: `Told \`${state}\` about \`${commit}\` on pull request ${number}.`,
  };
}

/** The dossier if it is about this commit; else why not. A dossier about another commit is a lie or a mix-up. */
function dossierOf(input: FreeStepInput, commit: string): HandedOn {
  try {
    const read = pathsOf(input).flatMap((path) => readDossier(path) ?? []);
    const ours = read.filter(({ candidate }) => candidate.commit === commit);
    if (read.length > 0 && ours.length === 0) {
      throw new Failure(
        'evidence-unbound',
        'The dossier is about another commit than the one that was to be tested.',
        { outcome: 'error' },
      );
    }
    if (ours.length > 1) {
      throw new Failure('evidence-unbound', 'There are dossiers of several recipes about this commit.', {
        outcome: 'error',
        remedy: 'Set `recipe`, or `dossier`.',
      });
    }
    return { dossier: ours[0] === undefined ? undefined : reportedDossier(ours[0]) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { dossier: undefined, failure: error };
  }
}

/**
 * Where the dossier may be. This step reads no configuration, which may name the recipe otherwise than the repository
 * is named: then it is the folder that is there.
 */
function pathsOf({ settings, workspace, out }: FreeStepInput): string[] {
  if (settings.dossier !== undefined) return [fileInside(workspace, settings.dossier, 'dossier')];
  if (settings.recipe !== undefined) return [fileInside(out, `${settings.recipe}/dossier.json`, 'recipe')];
  return readdirSync(out, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .slice(0, MOST_RECIPES)
    .map(({ name }) => join(out, name, 'dossier.json'));
}

const MOST_RECIPES = 50;

const descriptions: Readonly<Record<'success' | 'failure' | 'error', string>> = {
  success: 'Green',
  failure: 'Red',
  error: 'No answer: see the run',
};

async function setStatus(
  { settings, event }: ReportInput,
  forge: Forge,
  commit: string,
  state: Exclude<StatusState, 'pending'>,
  failure: Failure | undefined,
): Promise<void> {
  await forge.setStatus(commit, {
    state,
    context: settings.contextName,
    description: failure === undefined ? descriptions[state] : `No answer: ${failure.code}`,
    ...(event.run.url === undefined ? {} : { targetUrl: event.run.url }),
  });
}

/**
 * Writes our one comment and returns its page. It is ours by author id and by its first line: a copied marker in
 * somebody else's is nothing. An older commit's result never takes the place of the head's.
 */
async function upsert(
  forge: Forge,
  number: number,
  told: { readonly commit: string; readonly head: string | undefined; readonly body: string },
): Promise<string> {
  const { commit, head, body } = told;
  const me = await forge.me();
  const mine = async () =>
    (await forge.comments(number)).filter(
      (comment) => comment.author.id === me.id && comment.body.startsWith(REPORT_MARKER),
    );
  const [first] = await mine();
  if (first !== undefined) {
    const isLate = head !== undefined && head !== commit && isAbout(first.body, head);
    return isLate ? first.url : (await forge.editComment(first.id, body)).url;
  }
  const written = await forge.createComment(number, body);
  // Another run may have written in the same moment: the first stays, whoever wrote it, and the other is taken back.
  const [oldest] = (await mine()).toSorted((a, b) => a.id - b.id);
  if (oldest === undefined || oldest.id === written.id) return written.url;
  const kept = await forge.editComment(oldest.id, body);
  await forge.deleteComment(written.id);
  return kept.url;
}
