import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Environment } from './hosts/detect.ts';
import type { Host } from './hosts/host.ts';
import type { Clock } from './http/clock.ts';
import { Failure } from './outcome.ts';
import { credentialVariables } from './settings/credential-variables.ts';
import { defaultImage, ledgerAddress, recipeName, registryCredentials } from './settings/defaults.ts';
import type { FleetLeg } from './settings/fleet-leg.ts';
import type { Settings } from './settings/schema.ts';
import type { Tools } from './steps/tools.ts';
import { configBeside, legOf, readFleet } from './tools/fleet.ts';
import { mirrorTool } from './tools/mirror.ts';
import { once } from './tools/once.ts';
import { projectTools } from './tools/project.ts';

/** Put in by the bundler. */
declare const KNOWNGOOD_VERSION: string;

/** Largest configuration file, in bytes (security.md 7 of the design). */
const CONFIG_LIMIT = 256 * 1024;

/** The tools of one process, with the end of their life. */
export interface OwnedTools extends Tools {
  /** Closes connections and removes the scratch folder. */
  close(): Promise<void>;
}

interface ToolsInput {
  readonly host: Host;
  readonly settings: Settings;
  readonly env: Environment;
  /** The recipe of a fleet that this run is about. */
  readonly leg?: FleetLeg;
  /** Runs the line over one recipe of the fleet; the line's own work. */
  readonly release?: Tools['release'];
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/**
 * The only constructor of adapters. Each is made at first use, by import(), so that a step loads nothing that it
 * does not ask for, and once, so that connections and answers are shared.
 */
export function createTools(input: ToolsInput): OwnedTools {
  const { host, settings, env, leg, now, signal } = input;
  const { log, event, workspace } = host;
  const closers: (() => Promise<unknown>)[] = [];
  const isForkPullRequest = event.kind === 'pull-request' && event.pullRequest?.fork === true;
  const clock: Clock = {
    now: () => now().getTime(),
    random: () => Math.random(),
    sleep: async (ms, ended) => {
      const { systemClock } = await import('./http/clock.ts');
      return systemClock.sleep(ms, ended ?? signal);
    },
  };

  /** Registry host of the recipe's own image: `registry-password` is for it alone. */
  const imageHost = once(async () => {
    if (settings.registryPassword === undefined) return undefined;
    // In a fleet a recipe's own file must not say which host is shown the password: fleet.yml does.
    const own = async () => (leg === undefined ? (await project.recipeFile()).value.image : undefined);
    const configured = settings.image ?? (await own());
    if (configured === undefined && leg !== undefined) return undefined;
    const image = configured ?? defaultImage(event);
    if (image === undefined) return undefined;
    const { parseReference } = await import('./oci/reference.ts');
    return parseReference(image).registry;
  });

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

  const registryAccess = once(async () => {
    const [{ credentialsFrom }, { dockerConfigCredentials }] = await Promise.all([
      import('./registry/credentials.ts'),
      import('./registry/docker-config.ts'),
    ]);
    const given = registryCredentials(settings, host, await imageHost());
    const folder = env.DOCKER_CONFIG ?? join(env.HOME ?? '/', '.docker');
    // A fork's pull request is given no login, whoever wrote it down on this machine.
    const files = isForkPullRequest
      ? []
      : [dockerConfigCredentials({ file: join(folder, 'config.json'), env })];
    const credentials = credentialsFrom(given, ...files);
    return { given, credentials, mask: (secret: string) => log.mask(secret) };
  });

  const registry = once(async () => {
    const [{ createRegistry }, access] = await Promise.all([
      import('./registry/client.ts'),
      registryAccess(),
    ]);
    return createRegistry({
      http: await http(),
      clock,
      credentials: access.credentials,
      insecure: settings.insecureRegistries,
      trustedRealms: [...access.given.keys()],
      mask: access.mask,
    });
  });

  const forge = once(async () => {
    const { openForge } = await import('./forge/open-forge.ts');
    const { slug, webUrl } = event.repository;
    const origin = webUrl === undefined ? undefined : new URL(webUrl).origin;
    const url = settings.forgeUrl ?? origin;
    if (slug === undefined || url === undefined) {
      throw new Failure('setting-missing', 'The forge of this repository is not known.', {
        remedy: 'Set `forge-url`, and run where the CI names the repository.',
      });
    }
    const { webUrl: home } = leg?.home ?? event.repository;
    const atHome = (at: string | undefined) => home === undefined || new URL(home).origin === at;
    const forgeToken = settings.forgeToken ?? host.jobToken?.token;
    return openForge({
      http: await http(),
      kind: settings.forge,
      url,
      slug,
      // A token of the fleet's forge is not shown to another one that a recipe lives on.
      token: settings.forgeUrl === undefined && !atHome(origin) ? undefined : forgeToken,
      signal,
      tell: (text) => log.info(text),
    });
  });

  const droneServer = once(async () => {
    const { droneServer: open } = await import('./forge/drone-server.ts');
    const { droneServer: url, droneToken: token } = settings;
    if (url === undefined || token === undefined) {
      throw new Failure(
        'setting-missing',
        'Starting builds on Drone needs `drone-server` and `drone-token`.',
      );
    }
    return open({ http: await http(), url, token, signal });
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

  const buildx = once(async () => {
    const { createBuildx } = await import('./engine/buildx.ts');
    const { address } = await (await engine()).info();
    return createBuildx({
      address,
      env,
      scratch: await scratch(),
      clock,
      signal,
      tell: (text) => log.info(text),
    });
  });

  const project = projectTools({ host, settings, env, leg, scratch, signal });

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
        open: async () => openBareRepository(await project.git(), remote),
        waiting: clock,
      }),
    );
  });

  const policy = once(async () => {
    const setting = settings.policy?.trim();
    if (setting === undefined) return undefined;
    const { readPolicy } = await import('./provenance/policy.ts');
    if (setting.startsWith('{')) return readPolicy(setting);
    const { readInside } = await import('./recipe/inside.ts');
    const bytes = readInside(workspace, setting, CONFIG_LIMIT);
    if (bytes === undefined) {
      throw new Failure('policy-invalid', `There is no policy at ${setting}.`, {
        remedy: 'Set `policy` to a JSON file of the checkout, or to the JSON itself.',
      });
    }
    return readPolicy(bytes.toString('utf8'));
  });

  const reviewedPolicy = once(async () => {
    const setting = settings.policy?.trim();
    if (setting === undefined || setting.startsWith('{')) return policy();
    const { readPolicy } = await import('./provenance/policy.ts');
    const { branch, readFile } = await project.projectNow();
    const bytes = await readFile(setting);
    if (bytes === undefined) {
      throw new Failure('policy-invalid', `The branch ${branch.name} has no policy at ${setting}.`, {
        remedy: 'Commit the policy to the release branch: what is to be promoted must not bring its own.',
      });
    }
    return readPolicy(new TextDecoder().decode(bytes));
  });

  return {
    version: typeof KNOWNGOOD_VERSION === 'string' ? KNOWNGOOD_VERSION : 'unbundled',
    clock,
    ...project,
    recipes: () => import('./recipe/making.ts'),
    pins: () => import('./pins/pinning.ts'),
    labels: () => import('./provenance/labels.ts'),
    statements: () => import('./provenance/statements.ts'),
    signing: () => import('./provenance/signing.ts'),
    verifying: () => import('./provenance/verifying.ts'),
    policy,
    reviewedPolicy,
    promotion: () => import('./promotion/promotion.ts'),
    recipeName: settings.recipe ?? recipeName(event, workspace),
    harness: () => import('./harness/harness.ts'),
    children: {
      path: env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      // A plugin that a person installed for the docker command is found in our private configuration too.
      pluginFolders: [join(env.DOCKER_CONFIG ?? join(env.HOME ?? '/', '.docker'), 'cli-plugins')],
      engineEnv: Object.fromEntries(
        (['DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH'] as const).flatMap((name) => {
          const value = env[name];
          return value === undefined || value === '' ? [] : [[name, value]];
        }),
      ),
      credentials: credentialVariables(env),
    },
    async fleet() {
      if (settings.fleet === undefined) {
        throw new Failure('setting-missing', 'Which fleet to look at is not said.', {
          remedy: `Set \`${host.settingName('fleet')}\` to the path of fleet.yml.`,
        });
      }
      return readFleet(workspace, settings.fleet);
    },
    configBeside: async (of) => configBeside(workspace, of),
    async remoteTags(address) {
      const [{ lsRefs }, { listRemoteTags }, { parseRemote }, { credentialFor }] = await Promise.all([
        import('./git/ls-refs.ts'),
        import('./git/tags.ts'),
        import('./git/remote.ts'),
        import('./git/credential.ts'),
      ]);
      const remote = parseRemote(address, { insecureHosts: settings.insecureRegistries, folder: workspace });
      const credential = credentialFor(remote, await project.gitCredentials());
      return (await lsRefs(await http(), remote, credential)) ?? listRemoteTags(await project.git(), remote);
    },
    mirror: mirrorTool({ host, settings, env, scratch, signal, git: project.git }),
    async tagsOfMany(addresses) {
      const { webUrl: home } = event.repository;
      const token = settings.forgeToken ?? host.jobToken?.token;
      const { githubTags, onGithub } = await import('./forge/github-tags.ts');
      const known = onGithub(addresses, { home, forgeUrl: settings.forgeUrl });
      if (token === undefined || known === undefined) return new Map();
      return githubTags({ ...known, http: await http(), token, signal, tell: (text) => log.info(text) });
    },
    async inFlight() {
      const { recipesInFlight } = await import('./harness/in-flight.ts');
      return recipesInFlight((await engine()).docker, now(), signal);
    },
    owners: () => import('./harness/owner.ts'),
    async readFile(path) {
      const { readInside } = await import('./recipe/inside.ts');
      return readInside(workspace, path, CONFIG_LIMIT)?.toString('utf8');
    },
    ofRecipe: async (recipe) =>
      createTools({ ...input, ...(await legOf({ host, settings: { ...settings, recipe } })) }),
    release: input.release ?? (() => Promise.reject(new Failure('step-unavailable'))),
    registry,
    http,
    forge,
    droneServer,
    engine,
    buildx,
    ledger,
    registryCredential: async (name) => (await registryAccess()).credentials(name),
    async close() {
      for (const closer of closers.reverse()) await closer().catch((error) => log.detail(String(error)));
    },
  };
}

/** How long a host lets a job's last hook run. */
const LEFTOVERS_MS = 20_000;

/**
 * Removes what a killed test of this job left on the engine, by its journals in knowngood-out. The engine is looked
 * for only where there is one; what cannot be removed is said.
 */
export async function removeLeftovers({ workspace, log }: Host, env: Environment): Promise<void> {
  try {
    const { removeJournalledRuns } = await import('./harness/clean-up.ts');
    const signal = AbortSignal.timeout(LEFTOVERS_MS);
    const engine = once(async () => {
      const [{ connect }, { systemClock }] = await Promise.all([
        import('./engine/connect.ts'),
        import('./http/clock.ts'),
      ]);
      return (await connect(env['INPUT_DOCKER-HOST'] || undefined, env, signal, systemClock)).docker;
    });
    const { removed, left } = await removeJournalledRuns(
      engine,
      join(workspace, 'knowngood-out'),
      LEFTOVERS_MS,
    );
    if (removed > 0) log.info(`Removed ${removed} things that a killed test had left behind.`);
    for (const { kind, name, why } of left) log.info(`The ${kind} ${name} could not be removed: ${why}`);
  } catch (cause) {
    log.info(`What a killed test left behind could not be removed: ${(cause as Error).message}`);
  }
}
