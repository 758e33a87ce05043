import { isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import type { Checkout } from '../git/checkout.ts';
import type { GitCredential } from '../git/environment.ts';
import type { Git } from '../git/git.ts';
import type { Branch, History } from '../git/history.ts';
import type { Remote } from '../git/remote.ts';
import type { Environment } from '../hosts/detect.ts';
import type { Host } from '../hosts/host.ts';
import { Failure } from '../outcome.ts';
import { ledgerAddress } from '../settings/defaults.ts';
import type { FleetLeg } from '../settings/fleet-leg.ts';
import type { RecipeFile } from '../settings/recipe-file.ts';
import type { Settings } from '../settings/schema.ts';
import { once } from './once.ts';

export interface RepositoryInput {
  readonly host: Host;
  readonly settings: Settings;
  readonly env: Environment;
  /** The recipe of a fleet that this run is about; its files are never the job's checkout. */
  readonly leg: FleetLeg | undefined;
  readonly scratch: () => Promise<string>;
  readonly signal: AbortSignal;
}

/** The release branch and the configuration that counts. */
export interface Rules {
  readonly branch: Branch;
  readonly file: RecipeFile;
}

/** The recipe's repository as this run sees it: remote, job's checkout, rules of the release branch. */
export interface RecipeRepository {
  readonly credentials: () => Promise<readonly GitCredential[]>;
  readonly git: () => Promise<Git>;
  readonly remote: () => Promise<Remote>;
  readonly history: () => Promise<History>;
  /** The history, read anew. */
  readonly readHistory: () => Promise<History>;
  /** The job's checkout: the recipe's, or the fleet's. */
  readonly jobCheckout: () => Promise<Checkout | undefined>;
  /** The recipe's own checkout. A fleet's job has a checkout of the fleet. */
  readonly checkout: () => Promise<Checkout | undefined>;
  /** The job's checkout, looked at anew. */
  readonly readCheckout: () => Promise<Checkout | undefined>;
  /** Folders of ours in a checkout, relative to its top. */
  readonly oursIn: (root: string) => readonly string[];
  /** The top of the checkout seen from the workspace, and the workspace seen from it; `''` where they are one. */
  readonly places: () => Promise<{ readonly below: string; readonly above: string }>;
  /** A path of the settings as the repository has it. */
  readonly inRepository: (...path: string[]) => Promise<string>;
  readonly rules: () => Promise<Rules>;
  readonly rulesIn: (opened: History) => Promise<Rules>;
  readonly patternIn: (file: RecipeFile) => string;
}

export function recipeRepository(input: RepositoryInput): RecipeRepository {
  const { host, settings, env, leg, scratch, signal } = input;
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
    const { components } = await import('../recipe/inside.ts');
    for (const part of path) components(part);
    const { below, above } = await places();
    const whole = posix.normalize(posix.join(below, ...path));
    return above !== '' && whole.startsWith(`${above}/`) ? whole.slice(above.length + 1) : whole;
  };

  const remote = once(async (): Promise<Remote> => {
    const { parseRemote } = await import('../git/remote.ts');
    const named = settings.repository ?? event.repository.cloneUrl;
    const found = named === undefined ? await checkout() : undefined;
    const address = named ?? (await found?.originUrl()) ?? found?.root ?? workspace;
    const parsed = parseRemote(address, {
      insecureHosts: settings.insecureRegistries,
      folder: found?.root ?? workspace,
    });
    if (parsed.credential !== undefined) log.mask(parsed.credential.password);
    return parsed;
  });

  const readHistory = async (): Promise<History> => {
    const { openHistory } = await import('../git/history.ts');
    const opened = await openHistory(await git(), await remote(), settings.releaseBranch).catch(
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
  const rulesIn = async (opened: History): Promise<Rules> => {
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
    const at = async (tip: string): Promise<RecipeFile> => {
      const bytes = await opened.readFile(tip, path, CONFIG_LIMIT);
      if (leg === undefined) return readRecipeFile(bytes, settings.config);
      const { ofFleet } = await import('../settings/fleet-trust.ts');
      return ofFleet(readRecipeFile(bytes, settings.config, leg.defaults), leg.defaults);
    };
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

  return {
    credentials,
    git,
    remote,
    history,
    readHistory,
    jobCheckout,
    checkout,
    readCheckout,
    oursIn,
    places,
    inRepository,
    rules,
    rulesIn,
    patternIn,
  };
}

/** Without an answer there is no list of tags, which is not an empty one (step-back.md of the design). */
const notListed: ReadonlySet<Failure['code']> = new Set(['git-denied', 'git-unreachable', 'git-failed']);
