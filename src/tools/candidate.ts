import { dirname, join } from 'node:path';
import type { MadeCandidate } from '../candidate/candidate.ts';
import type { Subject } from '../dossier/schema.ts';
import { Failure } from '../outcome.ts';
import { defaultImage, recipeName } from '../settings/defaults.ts';
import { once } from './once.ts';
import type { RecipeRepository, RepositoryInput } from './repository.ts';

/** Largest file of a recipe that is read besides its configuration, in bytes (security.md 7 of the design). */
export const FILE_LIMIT = 1024 * 1024;

/** The candidate as it is derived now, and its files. */
export interface CandidateFiles {
  readonly made: () => Promise<MadeCandidate>;
  /** The tag pattern that counts. */
  readonly pattern: () => Promise<string>;
  /** The commit whose tree is not the checkout's and has to be brought; `undefined` where the checkout is the candidate. */
  readonly elsewhere: () => Promise<string | undefined>;
  readonly tree: () => Promise<string>;
  readonly layOut: (commit: string, folder: string) => Promise<string>;
  readonly composeFiles: () => Promise<{ readonly files: readonly string[]; readonly envFile?: string }>;
}

export function candidateFiles(
  { host, settings, leg, scratch }: RepositoryInput,
  repository: RecipeRepository,
): CandidateFiles {
  const { log, event, workspace } = host;
  const { git, history, checkout, places, inRepository, rules, oursIn } = repository;
  const pattern = async (): Promise<string> => repository.patternIn((await rules()).file);

  /** The commit that is asked for; a fleet asks for the newest release of a recipe. */
  const asked = once(async (): Promise<string | undefined> => {
    if (leg === undefined) return settings.candidate;
    if (leg.commit !== undefined) return leg.commit;
    const { latestStable, listReleases, parsePattern } = await import('../rules/releases.ts');
    const { branch } = await rules();
    const tags = await (await history()).tags(branch, [branch.tip]);
    const list = listReleases(tags, parsePattern(await pattern()));
    const newest = latestStable(list) ?? list.releases[0];
    if (newest === undefined) throw new Failure('never-released');
    return newest.commit;
  });

  /** Whether another commit than the checkout's is asked for, whose tree has to be brought. */
  const elsewhere = async (): Promise<string | undefined> => {
    const commit = await asked();
    return commit === (await checkout())?.head.id ? undefined : commit;
  };

  const tree = once(async (): Promise<string> => {
    const commit = await elsewhere();
    return commit === undefined ? workspace : layOut(commit, join(await scratch(), 'candidate-tree'));
  });

  const layOut = async (commit: string, folder: string): Promise<string> => {
    const lay = await import('../git/lay-out.ts');
    const { mkdir } = await import('node:fs/promises');
    const { below, above } = await places();
    const found = await checkout();
    const top = join(folder, above);
    await mkdir(dirname(top), { recursive: true });
    const source =
      commit === found?.head.id
        ? found.source
        : await lay.fetchWhole(await git(), await history(), commit, settings.pullRequest);
    const { readCommit } = await import('../git/commit-object.ts');
    const facts = await readCommit(source, commit);
    if (facts === undefined) throw new Failure('candidate-unknown');
    const { submodules } = await lay.layOut(source, facts.tree, top);
    if (submodules.length > 0) log.detail(`Left empty, being submodules: ${submodules.join(', ')}`);
    return join(folder, below);
  };

  /** A text file of the candidate in the recipe's folder. */
  const candidateFile = async (path: string): Promise<string | undefined> => {
    const commit = await elsewhere();
    if (commit !== undefined) {
      const there = await inRepository(settings.context, path);
      const bytes = await (await history()).readFile(commit, there, FILE_LIMIT);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    }
    const { components, readInside } = await import('../recipe/inside.ts');
    components(path);
    return readInside(workspace, join(settings.context, path), FILE_LIMIT)?.toString('utf8');
  };

  const composeFiles = once(async () => {
    const { 'compose-file': named, 'env-file': envFile } = (await rules()).file.value.test ?? {};
    const env = envFile === undefined ? {} : { envFile };
    if (named !== undefined) return { files: named, ...env };
    const { usualComposeFiles } = await import('../recipe/compose.ts');
    for (const file of usualComposeFiles) {
      if ((await candidateFile(file)) !== undefined) return { files: [file], ...env };
    }
    return { files: ['compose.yml'], ...env };
  });

  const subject = async (): Promise<Subject> => {
    const { image, test } = (await rules()).file.value;
    const named = settings.image ?? image;
    if (named !== undefined) return { kind: 'image', image: named };
    const usual = defaultImage(event);
    const dockerfile = (await candidateFile(settings.dockerfile)) !== undefined;
    if (usual !== undefined && dockerfile) return { kind: 'image', image: usual };
    const [file = ''] = (await composeFiles()).files;
    const composed = ['compose', 'swarm', 'commands'].includes(test?.deploy ?? '');
    if (composed || (!dockerfile && (await candidateFile(file)) !== undefined)) {
      return { kind: 'compose', images: {} };
    }
    throw new Failure('setting-missing', 'The image of this recipe is not known.', {
      remedy: `Set \`${host.settingName('image')}\`, or \`image\` in ${settings.config} on the release branch.`,
    });
  };

  const made = once(async (): Promise<MadeCandidate> => {
    const { makeCandidate } = await import('../candidate/candidate.ts');
    const { branch, file } = await rules();
    const found = await checkout();
    const name = settings.recipe ?? file.value.recipe ?? recipeName(event, workspace);
    const { assertRecipeName } = await import('../ledger/recipe-name.ts');
    assertRecipeName(name);
    return makeCandidate({
      recipe: name,
      subject: await subject(),
      history: await history(),
      branch,
      checkout: found,
      asked: { commit: await asked(), pullRequest: settings.pullRequest },
      event: { head: event.pullRequest?.head, tag: event.tag },
      settings: { version: settings.version, pattern: await pattern() },
      config: file.value,
      composeFiles: (await composeFiles()).files,
      ours: found === undefined ? [] : oursIn(found.root),
      readFile: candidateFile,
    });
  });

  return { made, pattern, elsewhere, tree, layOut, composeFiles };
}
