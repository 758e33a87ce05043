import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../outcome.ts';

/** A repository address that git may be given: checked, and without credentials in it. */
export interface Remote {
  readonly kind: 'https' | 'http' | 'ssh' | 'path';
  /** What git gets in argv. An absolute path where `kind` is `path`. */
  readonly url: string;
  /** `https://host[:port]`; absent for ssh and paths. */
  readonly origin?: string;
  /** Credentials that stood in the address; they belong to `origin` only. The caller masks them. */
  readonly credential?: { readonly username: string; readonly password: string };
}

export interface RemoteRules {
  /** `host` or `host:port` entries that may be spoken to over plain HTTP, besides loopback. */
  readonly insecureHosts: readonly string[];
  /** Relative paths are resolved against this absolute folder. */
  readonly folder: string;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** `user@host:path`. A host or path that begins with `-` would be read as an option by ssh or by the far side. */
const SCP_LIKE = /^(?:[A-Za-z0-9_][\w.-]*@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)[^-\s:][^\s]*$/;

/**
 * Reads a repository address: https, ssh (URL or `user@host:path`), a path or file URL; http only to loopback and
 * `insecureHosts`. Anything else, remote helpers (`ext::…`) above all, is a Failure `remote-invalid`. The text of
 * a refused address is not repeated, because it may hold a password.
 */
export function parseRemote(text: string, rules: RemoteRules): Remote {
  const address = text.trim();
  if (address === '' || /[\u0000-\u001f\u007f]/.test(address)) {
    throw new Failure('remote-invalid', 'The address of the repository is empty or has control characters.');
  }
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(address)) return parseUrl(address, rules);
  if (/^[A-Za-z0-9+.-]*::/.test(address)) {
    throw new Failure('remote-invalid', 'The address of the repository names a remote helper.');
  }
  if (!isAbsolute(address) && !address.startsWith('.') && SCP_LIKE.test(address))
    return { kind: 'ssh', url: address };
  if (!isAbsolute(address) && address.startsWith('-')) {
    throw new Failure('remote-invalid', 'The address of the repository begins with `-`.');
  }
  return { kind: 'path', url: resolve(rules.folder, address) };
}

function parseUrl(address: string, rules: RemoteRules): Remote {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new Failure('remote-invalid', 'The address of the repository is not a URL.');
  }
  if (url.protocol === 'file:') {
    if (url.host !== '') throw new Failure('remote-invalid', 'A file URL of another host cannot be read.');
    return { kind: 'path', url: fileURLToPath(url) };
  }
  if (url.search !== '' || url.hash !== '') {
    throw new Failure('remote-invalid', 'The address of the repository has a query or a fragment.');
  }
  if (url.protocol === 'ssh:') {
    if (url.password !== '') throw new Failure('remote-invalid', 'An ssh address cannot hold a password.');
    if (!/^[A-Za-z0-9]/.test(url.hostname) || /^-/.test(url.username) || /^\/+-/.test(url.pathname)) {
      throw new Failure('remote-invalid', 'User, host or path of the ssh address is not valid.');
    }
    return { kind: 'ssh', url: url.href };
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Failure('remote-invalid', `The transport \`${url.protocol.slice(0, -1)}\` is not allowed.`);
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !isListed(url, rules.insecureHosts)) {
    throw new Failure(
      'remote-invalid',
      `Plain HTTP to ${url.host} would send code and credentials in the clear.`,
      { remedy: 'Use https, or name the host in `insecure-registries`.' },
    );
  }
  const username = decoded(url.username);
  const password = decoded(url.password);
  url.username = '';
  url.password = '';
  return {
    kind: url.protocol === 'https:' ? 'https' : 'http',
    url: url.href,
    origin: url.origin,
    ...(username === '' && password === '' ? {} : { credential: credentialOf(username, password) }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A lone user name is a token, as forges write it (`https://<token>@host/…`). */
function credentialOf(username: string, password: string): { username: string; password: string } {
  return password === '' ? { username, password: 'x-oauth-basic' } : { username, password };
}

function isListed(url: URL, hosts: readonly string[]): boolean {
  return hosts.some((host) => host.toLowerCase() === url.host || host.toLowerCase() === url.hostname);
}

/**
 * How the other side of a local path is started. It reads the configuration of that repository, our own not
 * reaching it, and would run its hooks as us.
 */
export function farSide(remote: Remote, program: 'upload-pack' | 'receive-pack'): string[] {
  return remote.kind === 'path'
    ? [`--${program}=git -c core.hooksPath=/dev/null -c core.fsmonitor=false ${program}`]
    : [];
}
