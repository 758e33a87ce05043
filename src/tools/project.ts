import { relative, resolve } from 'node:path';
import type { GitCredential } from '../git/environment.ts';
import type { Command } from '../harness/plan.ts';
import type { Tools } from '../steps/tools.ts';
import { candidateFiles, FILE_LIMIT } from './candidate.ts';
import { type RepositoryInput, recipeRepository } from './repository.ts';

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

export function projectTools(input: RepositoryInput): ProjectTools {
  const { host, settings, leg } = input;
  const { log, workspace } = host;
  const repository = recipeRepository(input);
  const { git, history, rules, inRepository } = repository;
  const candidate = candidateFiles(input, repository);
  const { made, pattern, composeFiles } = candidate;

  return {
    git,
    gitCredentials: repository.credentials,
    repository: repository.remote,
    history,
    tree: candidate.tree,
    layOut: candidate.layOut,
    composeFiles,
    releaseBranch: async () => (await rules()).branch,
    recipeFile: async () => (await rules()).file,
    async projectNow() {
      const opened = await repository.readHistory();
      const { branch, file } = await repository.rulesIn(opened);
      const { CONFIG_LIMIT } = await import('../settings/yaml-file.ts');
      return {
        history: opened,
        branch,
        file,
        pattern: repository.patternIn(file),
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
      const derived = (await made()).candidate;
      // What was laid out as data from another commit is not the job's to change.
      if (leg !== undefined || (await candidate.elsewhere()) !== undefined) return derived;
      const found = await repository.readCheckout();
      if (found === undefined) return derived;
      return {
        checkout: found.head.id,
        tree: found.head.tree,
        dirty: await found.dirty(repository.oursIn(found.root)),
      };
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
      const found = await repository.jobCheckout();
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
