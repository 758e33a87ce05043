import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Failure } from '../outcome.ts';
import type { Credentials, RegistryCredential } from './credentials.ts';
import { hostOfKey } from './hosts.ts';

/** Where the Docker config file is, and the environment that its helpers run with. */
export interface DockerConfigSource {
  /** `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface DockerConfig {
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: unknown;
}

const HELPER_OUTPUT = 64 * 1024;
const HELPER_TIME = 30_000;
const HUB = 'https://index.docker.io/v1/';

/**
 * Credentials as `docker login` left them: the helper of that host, else the store, else the file itself, the host
 * compared exactly. Nothing is read before the first question.
 */
export function dockerConfigCredentials(source: DockerConfigSource): Credentials {
  let config: Promise<DockerConfig> | undefined;
  return async (host) => {
    config ??= readConfig(source.file);
    const { auths, credHelpers, credsStore } = await config;
    const helper = entryFor(credHelpers, host) ?? credsStore;
    if (typeof helper === 'string' && helper !== '') {
      const found = await askHelper(helper, serverUrl(host, auths, credHelpers), source.env);
      if (found !== undefined) return found;
    }
    return decodeAuth(entryFor(auths, host), source.file);
  };
}

async function readConfig(file: string): Promise<DockerConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { auths: {}, credHelpers: {}, credsStore: undefined };
    throw unreadable(`The Docker config file ${file} cannot be read (${String(code)}).`, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the file.
    throw unreadable(`The Docker config file ${file} is no JSON.`);
  }
  const config = record(value);
  return {
    auths: record(config.auths),
    credHelpers: record(config.credHelpers),
    credsStore: config.credsStore,
  };
}

/** The entry of this host. Keys are hosts, or the addresses that older versions wrote. */
function entryFor(map: Readonly<Record<string, unknown>>, host: string): unknown {
  return Object.entries(map).find(([key]) => hostOfKey(key) === host)?.[1];
}

/** What helpers know the host by: the key of the file, since they store under it; Docker Hub has an old name. */
function serverUrl(host: string, ...maps: readonly Readonly<Record<string, unknown>>[]): string {
  if (host === 'docker.io') return HUB;
  return maps.flatMap((map) => Object.keys(map)).find((key) => hostOfKey(key) === host) ?? host;
}

function decodeAuth(entry: unknown, file: string): RegistryCredential | undefined {
  const { auth, username, password, identitytoken, registrytoken } = record(entry);
  const pair = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString('utf8') : '';
  const colon = pair.indexOf(':');
  if (pair !== '' && colon < 0)
    throw unreadable(`An entry of the Docker config file ${file} is not base64 of user:password.`);
  const user = colon < 0 ? text(username) : pair.slice(0, colon);
  // Docker pads with zero bytes.
  const secret = colon < 0 ? text(password) : pair.slice(colon + 1).replace(/\0+$/, '');
  return credential(user, secret, text(identitytoken), text(registrytoken));
}

function credential(username: string, password: string, identity: string, token: string) {
  if (password === '' && identity === '' && token === '') return undefined;
  return {
    username,
    password,
    ...(identity === '' ? {} : { identityToken: identity }),
    ...(token === '' ? {} : { registryToken: token }),
  };
}

/**
 * The credential helper protocol: `docker-credential-<name> get`, the server on stdin, JSON on stdout. The name is a
 * plain word, or the file could start any program.
 */
async function askHelper(
  name: string,
  server: string,
  env: DockerConfigSource['env'],
): Promise<RegistryCredential | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name))
    throw unreadable('The Docker config file names no valid credential helper.');
  const program = `docker-credential-${name}`;
  const { status, output } = await run(program, server, env);
  if (status !== 0) {
    // The one answer of all helpers that means: I have none.
    if (/credentials not found in native keychain/.test(output)) return undefined;
    throw unreadable(`The credential helper ${program} failed for ${hostOfKey(server)} (exit ${status}).`);
  }
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    throw unreadable(`The credential helper ${program} did not answer with JSON.`);
  }
  const { Username, Secret } = record(answer);
  // A user name that cannot be one marks a refresh token.
  return text(Username) === '<token>'
    ? credential('', '', text(Secret), '')
    : credential(text(Username), text(Secret), '', '');
}

function run(
  program: string,
  input: string,
  env: DockerConfigSource['env'],
): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = () => {
      child.kill('SIGKILL');
      // What the helper started could hold the other end open for ever.
      child.stdout.destroy();
    };
    const timer = setTimeout(stop, HELPER_TIME);
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > HELPER_OUTPUT) stop();
      else chunks.push(chunk);
    });
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(unreadable(`The credential helper ${program} could not be started.`, cause));
    });
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, output: Buffer.concat(chunks).toString('utf8') });
    });
    // A helper that does not read its input must not end us with EPIPE.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unreadable(message: string, cause?: unknown): Failure {
  return new Failure('credentials-unreadable', message, cause === undefined ? {} : { cause });
}
