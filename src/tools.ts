import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { GitCredential } from './git/environment.ts';
import type { Environment } from './hosts/detect.ts';
import type { Host } from './hosts/host.ts';
import type { Clock } from './http/clock.ts';
import { Failure } from './outcome.ts';
import { ledgerAddress, registryCredentials } from './settings/defaults.ts';
import type { Settings } from './settings/schema.ts';
import type { Tools } from './steps/tools.ts';

/** Put in by the bundler. */
declare const KNOWNGOOD_VERSION: string;

/** The tools of one process, with the end of their life. */
export interface OwnedTools extends Tools {
  /** Closes connections and removes the scratch folder. */
  close(): Promise<void>;
}

interface ToolsInput {
  readonly host: Host;
  readonly settings: Settings;
  readonly env: Environment;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/**
 * The only constructor of adapters. Each is made at first use, by import(), so that a step loads nothing that it
 * does not ask for, and once, so that connections and answers are shared.
 */
export function createTools({ host, settings, env, now, signal }: ToolsInput): OwnedTools {
  const { log, event, workspace } = host;
  const closers: (() => Promise<unknown>)[] = [];
  const clock: Clock = {
    now: () => now().getTime(),
    random: () => Math.random(),
    sleep: async (ms, ended) => {
      const { systemClock } = await import('./http/clock.ts');
      return systemClock.sleep(ms, ended ?? signal);
    },
  };

  /** Folder that is ours alone, outside the checkout; removed at the end. */
  const scratch = once(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'knowngood-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
  });

  const http = once(async () => {
    const { createHttp } = await import('./http/client.ts');
    const made = createHttp({
      clock,
      proxy: {
        http: env.http_proxy ?? env.HTTP_PROXY,
        https: env.https_proxy ?? env.HTTPS_PROXY,
        no: env.no_proxy ?? env.NO_PROXY,
      },
      insecure: settings.insecureRegistries,
      redact: log.redact,
      onRetry: ({ what, why, attempt, tries, waitMs }) =>
        log.info(`${what}: ${why}; try ${attempt + 1} of ${tries} in ${(waitMs / 1000).toFixed(1)} s`),
      signal,
    });
    closers.push(() => made.close());
    return made;
  });

  const engine = once(async () => {
    const { createEngine } = await import('./engine/create-engine.ts');
    return createEngine({
      dockerHost: settings.dockerHost,
      env,
      clock,
      signal,
      insecureRegistries: settings.insecureRegistries,
      tell: (text) => log.info(text),
    });
  });

  /** git's credentials, each for one exact origin. */
  const gitCredentials = once(async (): Promise<readonly GitCredential[]> => {
    const { parseRemote } = await import('./git/remote.ts');
    const rules = { insecureHosts: settings.insecureRegistries, folder: workspace };
    const credentials: GitCredential[] = [];
    const add = (address: string | undefined, password: string | undefined): void => {
      if (address === undefined || password === undefined) return;
      const { origin } = parseRemote(address, rules);
      if (origin !== undefined && !credentials.some((known) => known.origin === origin)) {
        credentials.push({ origin, username: 'x-access-token', password });
      }
    };
    const ledger = ledgerAddress(settings, event, undefined);
    if (ledger?.startsWith('git:')) add(ledger.slice(4).replace(/#[^#]*$/, ''), settings.ledgerToken);
    add(settings.repository ?? event.repository.cloneUrl, settings.forgeToken ?? host.jobToken?.token);
    for (const { password } of credentials) log.mask(password);
    return credentials;
  });

  const git = once(async () => {
    const { createGit } = await import('./git/git.ts');
    return createGit({
      scratch: await scratch(),
      environment: env,
      credentials: await gitCredentials(),
      signal,
    });
  });

  const repository = once(async () => {
    const { parseRemote } = await import('./git/remote.ts');
    const address = settings.repository ?? event.repository.cloneUrl ?? workspace;
    const remote = parseRemote(address, { insecureHosts: settings.insecureRegistries, folder: workspace });
    if (remote.credential !== undefined) log.mask(remote.credential.password);
    return remote;
  });

  const ledger = once(async () => {
    const address = ledgerAddress(settings, event, undefined);
    if (address === undefined) return undefined;
    const [{ parseLedgerSetting }, { ledgerOver }] = await Promise.all([
      import('./ledger/setting.ts'),
      import('./ledger/records.ts'),
    ]);
    const where = parseLedgerSetting(address);
    if (where.kind === 'file') {
      const { fileStore } = await import('./ledger/file.ts');
      const folder = resolve(workspace, where.folder);
      return ledgerOver(
        fileStore({ folder, waiting: clock, ...(host.name === 'terminal' ? {} : { ephemeral: workspace }) }),
      );
    }
    const [{ gitStore }, { openBareRepository }, { parseRemote }] = await Promise.all([
      import('./ledger/git.ts'),
      import('./git/commit.ts'),
      import('./git/remote.ts'),
    ]);
    const remote = parseRemote(where.remote, {
      insecureHosts: settings.insecureRegistries,
      folder: workspace,
    });
    return ledgerOver(
      gitStore({
        address: `git:${remote.url}#${where.branch}`,
        branch: where.branch,
        open: async () => openBareRepository(await git(), remote),
        waiting: clock,
      }),
    );
  });

  const notYet = async (): Promise<never> => {
    throw new Failure('step-unavailable');
  };

  return {
    version: typeof KNOWNGOOD_VERSION === 'string' ? KNOWNGOOD_VERSION : 'unbundled',
    clock,
    statements: () => import('./provenance/statements.ts'),
    signing: () => import('./provenance/signing.ts'),
    verifying: () => import('./provenance/verifying.ts'),
    candidate: notYet,
    trackedIn: notYet,
    registry: notYet,
    http,
    engine,
    git,
    repository,
    ledger,
    registryCredential: async (name) => registryCredentials(settings, host, undefined).get(name),
    async close() {
      for (const closer of closers.reverse()) await closer().catch((error) => log.detail(String(error)));
    },
  };
}

/** Runs `make` at the first call and answers every call with that one result. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
