import { join, resolve } from 'node:path';
import type { Dossier } from '../dossier/schema.ts';
import { readDossier } from '../dossier/store.ts';
import type { Forge, StatusState } from '../forge/forge.ts';
import { Failure } from '../outcome.ts';
import { REPORT_MARKER, reportComment } from '../report/pull-request-comment.ts';
import { reportedState } from '../rules/reported-state.ts';
import type { FreeStep, FreeStepInput, StepResult } from './step.ts';

/**
 * Writes the commit status and the one comment of a pull request. Commit and pull request come from settings only:
 * the dossier was written beside foreign code. Whatever happens, no `pending` is left behind.
 */
export const step: FreeStep = {
  name: 'report',
  about: 'project',
  async run(input) {
    const { settings, tools } = input;
    const commit = settings.candidate;
    const number = settings.pullRequest;
    if (commit === undefined || number === undefined) {
      throw new Failure('setting-missing', '`report` needs `candidate` and `pull-request`.', {
        remedy: 'Hand on the outputs `sha` and `pull-request` of `testme`.',
      });
    }
    const forge = await tools.forge();
    const read = dossierOf(input, commit);
    const state = reportedState(read.dossier, settings.jobResult);
    const head = (await forge.pullRequest(number))?.head.commit ?? commit;
    const url = input.event.run.url;
    const body = reportComment({
      commit,
      head,
      state,
      jobResult: settings.jobResult,
      url,
      dossier: read.dossier,
    });
    if (settings.dryRun) {
      input.log.foreign(body);
      return { outcome: 'done', reasons: ['reported'], outputs: {} };
    }
    // The status first: it is what must not stay pending.
    await setStatus(input, forge, commit, state);
    const commentUrl = await upsert(forge, number, body);
    if (read.failure !== undefined) throw read.failure;
    const result: StepResult = {
      outcome: 'done',
      reasons: ['reported'],
      outputs: { 'comment-url': commentUrl },
    };
    return result;
  },
};

/** The dossier if it is about this commit; else why not. A dossier about another commit is a lie or a mix-up. */
function dossierOf(
  input: FreeStepInput,
  commit: string,
): { dossier: Dossier | undefined; failure?: Failure } {
  const { settings, workspace, out, tools } = input;
  const path =
    settings.dossier === undefined
      ? join(out, tools.recipeName, 'dossier.json')
      : resolve(workspace, settings.dossier);
  try {
    const dossier = readDossier(path);
    if (dossier !== undefined && dossier.candidate.commit !== commit) {
      throw new Failure(
        'evidence-unbound',
        'The dossier is about another commit than the one that was to be tested.',
        {
          outcome: 'error',
        },
      );
    }
    return { dossier };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { dossier: undefined, failure: error };
  }
}

const descriptions: Readonly<Record<'success' | 'failure' | 'error', string>> = {
  success: 'Green',
  failure: 'Red',
  error: 'No answer: see the run',
};

async function setStatus(
  { settings, event }: FreeStepInput,
  forge: Forge,
  commit: string,
  state: Exclude<StatusState, 'pending'>,
): Promise<void> {
  await forge.setStatus(commit, {
    state,
    context: settings.contextName,
    description: descriptions[state],
    ...(event.run.url === undefined ? {} : { targetUrl: event.run.url }),
  });
}

/** Our comment is ours by author id and by its first line: a copied marker in somebody else's is nothing. */
async function upsert(forge: Forge, number: number, body: string): Promise<string> {
  const me = await forge.me();
  const mine = (await forge.comments(number)).find(
    (comment) => comment.author.id === me.id && comment.body.startsWith(REPORT_MARKER),
  );
  const written =
    mine === undefined ? await forge.createComment(number, body) : await forge.editComment(mine.id, body);
  return written.url;
}
