import { dirname, isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import type { MadeCandidate } from '../candidate/candidate.ts';
import type { Subject } from '../dossier/schema.ts';
import type { GitCredential } from '../git/environment.ts';
import type { Branch, History } from '../git/history.ts';
import type { Remote } from '../git/remote.ts';
import type { Command } from '../harness/plan.ts';
import type { Environment } from '../hosts/detect.ts';
import type { Host } from '../hosts/host.ts';
import { Failure } from '../outcome.ts';
import { defaultImage, ledgerAddress, recipeName } from '../settings/defaults.ts';
import type { FleetLeg } from '../settings/fleet-leg.ts';
import type { RecipeFile } from '../settings/recipe-file.ts';
import type { Settings } from '../settings/schema.ts';
import type { Tools } from '../steps/tools.ts';
import { once } from './once.ts';

/** Largest file of a recipe that is read besides its configuration, in bytes (security.md 7 of the design). */
const FILE_LIMIT = 1024 * 1024;

/** The tools that look at the recipe's repository: its history, its checkout, its configuration, the candidate. */
export type ProjectTools = Pick<
  Tools,
  | 'git'
  | 'repository'
  | 'history'
  | 'projectNow'
  | 'checkoutNow'
  | 'statedVersions'
  | 'historyOf'
  | 'releaseBranch'
  | 'recipeFile'
  | 'candidate'
  | 'upgradeFacts'
  | 'tree'
  | 'layOut'
  | 'changedByCandidate'
  | 'trackedIn'
  | 'describe'
  | 'composeFiles'
  | 'testRules'
  | 'harnessPaths'
> & {
  /** git's credentials, each for one exact origin. */
  readonly gitCredentials: () => Promise<readonly GitCredential[]>;
};

interface ProjectInput {
  readonly host: Host;
  readonly settings: Settings;
  readonly env: Environment;
  /** The recipe of a fleet that this run is about; its files are never the job's checkout. */
  readonly leg: FleetLeg | undefined;
  readonly scratch: () => Promise<string>;
  readonly signal: AbortSignal;
}

export function projectTools({ host, settings, env, leg, scratch, signal }: ProjectInput): ProjectTools {
  const { log, event, workspace } = host;

  /** git's credentials, each for one exact origin. */
  const credentials = once(async (): Promise<readonly GitCredential[]> => {
    const { parseRemote } = await import('../git/remote.ts');
    const rules = { insecureHosts: settings.insecureRegistries, folder: workspace };
    const found: GitCredential[] = [];
    const add = (address: string | undefined, password: string | undefined): void => {
      if (address === undefined || password === undefined) return;
      const { origin } = parseRemote(address, rules);
      if (origin !== undefined && !found.some((known) => known.origin === origin)) {
        found.push({ origin, username: 'x-access-token', password });
      }
    };
    const ledger = ledgerAddress(settings, event, undefined);
    if (ledger?.startsWith('git:')) add(ledger.slice(4).replace(/#[^#]*$/, ''), settings.ledgerToken);
    // The token is the forge's: a repository elsewhere is never shown it.
    const { cloneUrl: home } = leg?.home ?? event.repository;
    // Nor is that of a fleet's recipe, wherever it lives.
    const named = leg === undefined ? settings.repository : undefined;
    add(settings.forgeUrl ?? home ?? named, settings.forgeToken);
    add(home, settings.forgeToken ?? host.jobToken?.token);
    for (const { password } of found) log.mask(password);
    return found;
  });

  const git = once(async () => {
    const { createGit } = await import('../git/git.ts');
    return createGit({
      scratch: await scratch(),
      environment: env,
      credentials: await credentials(),
      signal,
    });
  });

  const readCheckout = async () => {
    const { openCheckout } = await import('../git/checkout.ts');
    // Where the checkout is in a folder of the workspace, the context leads to it.
    return openCheckout(await git(), resolve(workspace, leg === undefined ? settings.context : '.'));
  };
  const jobCheckout = once(readCheckout);
  const oursIn = (root: string): string[] => [relative(root, join(workspace, 'knowngood-out'))];

  /** The recipe's own checkout. A fleet's job has a checkout of the fleet. */
  const checkout = async () => (leg === undefined ? jobCheckout() : undefined);

  /** The top of the checkout seen from the workspace, and the workspace seen from it; `''` where they are one. */
  const places = once(async () => {
    const root = (await checkout())?.root ?? workspace;
    const up = relative(root, workspace);
    const inside = up !== '..' && !up.startsWith(`..${sep}`) && !isAbsolute(up);
    return inside ? { below: up, above: '' } : { below: '', above: relative(workspace, root) };
  });

  /** A path of the settings as the repository has it. */
  const inRepository = async (...path: string[]): Promise<string> => {
    const { below, above } = await places();
    const whole = posix.normalize(posix.join(below, ...path));
    return above !== '' && whole.startsWith(`${above}/`) ? whole.slice(above.length + 1) : whole;
  };

  const repository = once(async (): Promise<Remote> => {
    const { parseRemote } = await import('../git/remote.ts');
    const named = settings.repository ?? event.repository.cloneUrl;
    const found = named === undefined ? await checkout() : undefined;
    const address = named ?? (await found?.originUrl()) ?? found?.root ?? workspace;
    const remote = parseRemote(address, {
      insecureHosts: settings.insecureRegistries,
      folder: found?.root ?? workspace,
    });
    if (remote.credential !== undefined) log.mask(remote.credential.password);
    return remote;
  });

  const readHistory = async (): Promise<History> => {
    const { openHistory } = await import('../git/history.ts');
    const opened = await openHistory(await git(), await repository(), settings.releaseBranch).catch(
      (cause: unknown) => {
        if (!(cause instanceof Failure) || !notListed.has(cause.code)) throw cause;
        throw new Failure('tags-unavailable', `Tags and release branch could not be read: ${cause.message}`, {
          remedy: cause.remedy,
          cause,
        });
      },
    );
    const found = await checkout();
    if (found !== undefined) await opened.alsoFrom(found.objectFolders);
    return opened;
  };
  const history = once(readHistory);

  /**
   * The release branch and its configuration. The default branch may name another one as the release branch, whose
   * own configuration counts then, if it has one.
   */
  const rulesIn = async (opened: History): Promise<{ branch: Branch; file: RecipeFile }> => {
    const [{ readRecipeFile }, { CONFIG_LIMIT }] = await Promise.all([
      import('../settings/recipe-file.ts'),
      import('../settings/yaml-file.ts'),
    ]);
    if (leg !== undefined) {
      const { configBeside } = await import('./fleet.ts');
      const file = await configBeside(workspace, leg);
      if (file !== undefined) return { branch: opened.branch, file };
    }
    const path = await inRepository(settings.config);
    const at = async (tip: string): Promise<RecipeFile> =>
      readRecipeFile(await opened.readFile(tip, path, CONFIG_LIMIT), settings.config, leg?.defaults ?? {});
    const file = await at(opened.branch.tip);
    const named = settings.releaseBranch === undefined ? file.value.releases.branch : undefined;
    if (named === undefined || named === opened.branch.name) return { branch: opened.branch, file };
    const branch = await opened.branchNamed(named);
    const own = await at(branch.tip);
    return { branch, file: own.exists ? own : file };
  };
  const rules = once(async () => rulesIn(await history()));

  const patternIn = (file: RecipeFile): string =>
    settings.given.has('tag-pattern')
      ? settings.tagPattern
      : (file.value.releases.tags ?? settings.tagPattern);
  const pattern = async (): Promise<string> => patternIn((await rules()).file);

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
    const { readInside } = await import('../recipe/inside.ts');
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

  return {
    git,
    gitCredentials: credentials,
    repository,
    history,
    tree,
    layOut,
    composeFiles,
    releaseBranch: async () => (await rules()).branch,
    recipeFile: async () => (await rules()).file,
    async projectNow() {
      const opened = await readHistory();
      const { branch, file } = await rulesIn(opened);
      const { CONFIG_LIMIT } = await import('../settings/yaml-file.ts');
      return {
        history: opened,
        branch,
        file,
        pattern: patternIn(file),
        ...(leg === undefined ? {} : { fleet: { enrolled: leg.entry.enrolled } }),
        readFile: async (path) => opened.readFile(branch.tip, await inRepository(path), CONFIG_LIMIT),
      };
    },
    async historyOf(address, branch) {
      const [{ openHistory }, { parseRemote }] = await Promise.all([
        import('../git/history.ts'),
        import('../git/remote.ts'),
      ]);
      const remote = parseRemote(address, {
        insecureHosts: settings.insecureRegistries,
        folder: workspace,
      });
      if (remote.credential !== undefined) log.mask(remote.credential.password);
      return openHistory(await git(), remote, branch);
    },
    async checkoutNow() {
      const { candidate } = await made();
      // What was laid out as data from another commit is not the job's to change.
      if (leg !== undefined || (await elsewhere()) !== undefined) return candidate;
      const found = await readCheckout();
      if (found === undefined) return candidate;
      return { checkout: found.head.id, tree: found.head.tree, dirty: await found.dirty(oursIn(found.root)) };
    },
    async statedVersions() {
      return (await made()).places.map(({ file, line, column, value }) => ({
        place: line === undefined ? file : `${file}:${line}`,
        version: value,
        at: { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) },
      }));
    },
    candidate: async () => (await made()).candidate,
    async upgradeFacts() {
      const { version, tags } = await made();
      return { version, tags, pattern: await pattern() };
    },
    async changedByCandidate(path) {
      const { branch } = await rules();
      const there = await inRepository(path);
      const [now, before] = await Promise.all(
        [(await made()).candidate.commit, branch.tip].map(async (commit) =>
          (await history()).readFile(commit, there, FILE_LIMIT),
        ),
      );
      return Buffer.compare(now ?? new Uint8Array(), before ?? new Uint8Array()) !== 0;
    },
    async trackedIn(path) {
      const found = await jobCheckout();
      if (found === undefined) return [];
      const there = relative(found.root, resolve(workspace, path));
      return there.startsWith('..') ? [] : found.trackedIn(there);
    },
    async describe(commit) {
      const tags = await pattern();
      const described = await (await history()).describe(commit, tags);
      if (described === undefined) return commit.slice(0, 12);
      const { parsePattern } = await import('../rules/releases.ts');
      const version = parsePattern(tags).versionIn(described.tag) ?? described.tag;
      return `${version.replace(/^v(?=\d)/, '')}-${described.distance}-g${commit.slice(0, 12)}`;
    },
    async testRules() {
      const { branch, file } = await rules();
      const opened = await history();
      return {
        config: file.value.test,
        composeFiles: (await composeFiles()).files,
        tip: branch.tip,
        expectedNa: file.value['expected-na'],
        async readFile(path) {
          const there = await inRepository(settings.context, path);
          const bytes = await opened.readFile(branch.tip, there, FILE_LIMIT);
          return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
        },
      };
    },
    async harnessPaths() {
      const { test } = (await rules()).file.value;
      const { files, envFile } = await composeFiles();
      const commands = [
        ...(test?.['before-upgrade'] ?? []),
        ...(test?.check ?? []),
        ...(test?.tiers ?? []).flatMap((tier) => tier.commands ?? []),
      ];
      const named = [
        ...files,
        ...(envFile === undefined ? [] : [envFile]),
        ...[test?.up, test?.down, ...commands.map(lineOf)].flatMap(pathsIn),
      ];
      return Promise.all(named.map((path) => inRepository(settings.context, path)));
    },
  };
}

/** Without an answer there is no list of tags, which is not an empty one (step-back.md of the design). */
const notListed: ReadonlySet<Failure['code']> = new Set(['git-denied', 'git-unreachable', 'git-failed']);

/** What a command says to a shell, where its script may be one of the repository. */
function lineOf(command: Command): string | undefined {
  if (command.kind !== 'host' && command.kind !== 'run') return undefined;
  return typeof command.command === 'string' ? command.command : command.command.join(' ');
}

/** The words of a line that may be files of the repository. More than there are does no harm. */
function pathsIn(line: string | undefined): string[] {
  return (line ?? '')
    .split(/[\s"'`;&|()<>=]+/)
    .filter((word) => /^(?:\.\/)?[\w@+.-]+(?:\/[\w@+.-]+)*$/.test(word) && !word.includes('..'))
    .map((word) => word.replace(/^\.\//, ''));
}
