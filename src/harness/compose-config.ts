import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, type Finding, finding } from '../outcome.ts';
import { insideTree } from './binds.ts';
import { childEnv, runChild } from './child.ts';
import { unsafeIn } from './compose-check.ts';
import { type ComposeText, readComposeFiles } from './compose-files.ts';
import type { ComposeModel } from './compose-model.ts';
import { placeOf } from './compose-place.ts';
import { lastLinesOf } from './logs.ts';
import type { Release } from './plan.ts';
import type { Site } from './site.ts';

const MODEL_LIMIT = 16 * 1024 * 1024;

/**
 * The resolved and checked compose model of a release. Everything that is deployed is made from this one answer, so
 * that what was checked is what runs.
 */
export async function checkedModel(
  site: Site,
  release: Release,
  project: string,
  files: readonly string[],
  profiles: readonly string[],
  signal: AbortSignal,
): Promise<ComposeModel> {
  const texts = readComposeFiles(release.folder, files);
  const model = await composeConfig(site, release, project, files, profiles, signal);
  const unsafe = unsafeIn(model, {
    allow: site.plan.allow,
    swarm: site.plan.deploy.kind === 'swarm',
    inTree: (path) => isInTree(release.folder, path),
  });
  if (unsafe.length > 0) throw unsafeFailure(texts, unsafe);
  return model;
}

function unsafeFailure(texts: readonly ComposeText[], unsafe: ReturnType<typeof unsafeIn>): Failure {
  const findings = unsafe.map(({ path, why, allow }): Finding => {
    const at = placeOf(texts, path);
    const where = at === undefined ? '' : `${at.file}:${at.line}: `;
    return finding('unsafe-compose', 'error', `${where}\`${path.join('.')}\` ${why}.`, {
      ...(at === undefined ? {} : { at: { file: at.file, line: at.line, column: at.column } }),
      ...(allow === undefined
        ? {}
        : { remedy: `Remove it, or name \`${allow}\` in \`test.allow\` on the release branch.` }),
    });
  });
  return new Failure('unsafe-compose', findings.map(({ message }) => message).join(' '), { findings });
}

function isInTree(folder: string, path: string): boolean {
  try {
    insideTree(folder, path);
    return true;
  } catch {
    return false;
  }
}

async function composeConfig(
  site: Site,
  release: Release,
  project: string,
  files: readonly string[],
  profiles: readonly string[],
  signal: AbortSignal,
): Promise<ComposeModel> {
  const said: Buffer[] = [];
  const ended = await runChild({
    argv: [
      'docker',
      'compose',
      ...composeFlags(
        project,
        files.map((file) => insideTree(release.folder, file)),
        profiles,
      ),
      '--project-directory',
      release.folder,
      'config',
      '--format',
      'json',
    ],
    cwd: release.folder,
    env: composeEnv(site, variablesOf(site, project)),
    graceMs: 1000,
    signal,
    stdoutLimit: MODEL_LIMIT,
    write: (channel, bytes) => {
      if (channel === 'stderr' && said.length < 100) said.push(bytes);
    },
  });
  if (ended.exitCode !== 0) throw composeFailure(site, ended.exitCode, Buffer.concat(said).toString());
  try {
    return JSON.parse(ended.stdout) as ComposeModel;
  } catch (cause) {
    throw new Failure('compose-invalid', '`docker compose config` answered something that is not JSON.', {
      cause,
    });
  }
}

function composeFailure(site: Site, exitCode: number, said: string): Failure {
  const lines = lastLinesOf(site.logs.redact(said)).filter((line) => line.trim() !== '');
  const line = lines.at(-1) ?? `exit code ${exitCode}`;
  // A docker without compose takes what follows for its own: it names the first flag and prints its whole help.
  if (/is not a docker command|unknown shorthand flag|unknown flag: --/.test(said)) {
    return new Failure(
      'compose-missing',
      `\`docker compose\` is not there, or too old: ${site.logs.redact(said).trim().split('\n')[0]}`,
    );
  }
  return new Failure('compose-invalid', `The compose files cannot be read: ${line}`);
}

/** Project, files, and an env-file of our own, so that compose does not read the `.env` of the tree. */
export function composeFlags(
  project: string,
  files: readonly string[],
  profiles: readonly string[],
): string[] {
  return [
    '--project-name',
    project,
    '--env-file',
    '/dev/null',
    ...files.flatMap((file) => ['--file', file]),
    ...profiles.flatMap((profile) => ['--profile', profile]),
  ];
}

/** The environment of the docker command: the engine, a private configuration, no remote includes. */
export function composeEnv(site: Site, more: Readonly<Record<string, string>>): Record<string, string> {
  return childEnv(site.programs, {
    ...more,
    ...site.programs.engineEnv,
    DOCKER_HOST: site.engine.address,
    DOCKER_CONFIG: site.programs.home,
    COMPOSE_EXPERIMENTAL_GIT_REMOTE: 'false',
    COMPOSE_EXPERIMENTAL_OCI_REMOTE: 'false',
    COMPOSE_DISABLE_ENV_FILE: 'true',
    COMPOSE_MENU: 'false',
    COMPOSE_ANSI: 'never',
    BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
  });
}

/** Names that steer programs instead of being values of the application. */
const STEERING =
  /^(?:PATH|HOME|SHELL|ENV|BASH_ENV|IFS|NODE_OPTIONS|(?:LD|DYLD|DOCKER|COMPOSE|BUILDX|BUILDKIT|GIT|SSH|XDG|KNOWNGOOD)_.*|.*_PROXY)$/i;

/** What `${…}` in the compose files may name: the recipe's own environment, and the stack's name. */
function variablesOf(site: Site, project: string): Record<string, string> {
  const own = Object.entries(site.plan.env).filter(([name]) => !STEERING.test(name));
  return { ...Object.fromEntries(own), STACK_NAME: project };
}

/** The docker command's private configuration: no credentials, and the plugins of the person's own. */
export function writeDockerConfig(home: string, pluginFolders: readonly string[]): void {
  writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: {}, cliPluginsExtraDirs: pluginFolders }));
}
