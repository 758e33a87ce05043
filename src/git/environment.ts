import { basicAuthorization } from './credential.ts';
/** Credentials for one exact origin (`https://git.example.org`, with port where it is not the usual one). */
export interface GitCredential {
  readonly origin: string;
  readonly username: string;
  readonly password: string;
}

/**
 * What of the process's environment git may see: where programs are, how to reach the network, whom to trust and
 * the ssh agent. Everything else (GIT_DIR, GIT_SSH_COMMAND, GIT_CONFIG_*, GIT_EXTERNAL_DIFF …) can be written by
 * any earlier step of the job and decides what git runs.
 */
const INHERITED = [
  'PATH',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
] as const;

/**
 * Configuration of every call, at command scope: it beats system, global and repository files. Keys that a
 * repository could use to run a program or to send us elsewhere are set here to what does neither.
 */
const CONFIG: readonly (readonly [key: string, value: string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.untrackedCache', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.fileMode', 'true'],
  ['core.symlinks', 'true'],
  ['core.ignoreCase', 'false'],
  ['core.autocrlf', 'false'],
  ['core.safecrlf', 'false'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['core.commitGraph', 'false'],
  // Asked for the refs of a repository whose objects we borrow, git would go there and obey its configuration.
  ['core.alternateRefsCommand', 'true'],
  // An empty helper clears the list: no program is asked for a password.
  ['credential.helper', ''],
  ['credential.interactive', 'false'],
  // A bare repository that somebody committed into a tree is data, never a repository with a config to obey.
  ['safe.bareRepository', 'explicit'],
  ['protocol.version', '2'],
  // A server that stops answering ends the call; a slow one does not.
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '60'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['submodule.recurse', 'false'],
  ['push.recurseSubmodules', 'no'],
  ['push.gpgSign', 'false'],
  ['fetch.writeCommitGraph', 'false'],
  ['fetch.fsckObjects', 'false'],
  ['i18n.logOutputEncoding', 'UTF-8'],
];

export interface EnvironmentRequest {
  /** The process's environment, as the entry read it. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** Empty folder of ours; stands in for the user's home. */
  readonly home: string;
  /** File of ours that stands in for the user's configuration. */
  readonly globalConfig: string;
  readonly gitDir: string;
  /** The one transport that this call may use; absent: none. */
  readonly transport?: 'https' | 'http' | 'ssh' | 'file' | undefined;
  readonly credential?: GitCredential | undefined;
  /** Let git fetch objects that a partial repository of ours lacks. */
  readonly lazyFetch?: boolean;
  readonly extra?: Readonly<Record<string, string>>;
}

/** The whole environment of one git call: built from nothing, so that nothing of the job's reaches git. */
export function gitEnvironment(request: EnvironmentRequest): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = request.inherited[name];
    if (value !== undefined && value !== '') environment[name] = value;
  }
  Object.assign(environment, {
    HOME: request.home,
    XDG_CONFIG_HOME: request.home,
    // Messages are told apart by their text where git has no better way.
    LC_ALL: 'C',
    LANGUAGE: '',
    GIT_DIR: request.gitDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: request.globalConfig,
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: request.lazyFetch === true ? '0' : '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_ADVICE: '0',
    GIT_PAGER: 'cat',
    GIT_EDITOR: ':',
    GIT_SSH_COMMAND:
      'ssh -oBatchMode=yes -oForwardAgent=no -oClearAllForwardings=yes -oPermitLocalCommand=no',
    GIT_SSH_VARIANT: 'ssh',
    // One name, so that a redirect or a URL of another kind is refused by git itself.
    GIT_ALLOW_PROTOCOL: request.transport ?? 'none',
  });
  const config = [...CONFIG, ...transportConfig(request)];
  environment.GIT_CONFIG_COUNT = String(config.length);
  config.forEach(([key, value], index) => {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return { ...environment, ...request.extra };
}

function transportConfig({ transport, credential }: EnvironmentRequest): (readonly [string, string])[] {
  if (transport !== 'https' && transport !== 'http') return [];
  if (credential === undefined)
    return [['http.followRedirects', transport === 'https' ? 'initial' : 'false']];
  return [
    [`http.${credential.origin}/.extraHeader`, `Authorization: ${basicAuthorization(credential)}`],
    // git keeps the extra header when a redirect moves it to another host.
    ['http.followRedirects', 'false'],
  ];
}

/**
 * Contents of the file that stands in for the user's configuration. The owner check protects people from obeying
 * a stranger's configuration; every repository is a stranger's here, and in CI the checkout often has another
 * owner. Child processes for local paths take it from a file only.
 */
export const globalConfig = '[safe]\n\tdirectory = *\n\tbareRepository = explicit\n';
