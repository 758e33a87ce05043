import { hostOfKey } from './hosts.ts';

/** What one registry knows us by. */
export interface RegistryCredential {
  readonly username: string;
  readonly password: string;
  /** An OAuth2 refresh token, which some logins leave instead of a password. */
  readonly identityToken?: string;
  /** A bearer token that needs no token server. */
  readonly registryToken?: string;
}

/** The credential for exactly this host (`docker.io`, `ghcr.io`, `127.0.0.1:5000`), or none. */
export type Credentials = (host: string) => Promise<RegistryCredential | undefined>;

/** Looks in these places in order, once per host: settings first. */
export function credentialsFrom(
  given: ReadonlyMap<string, { readonly username: string; readonly password: string }>,
  ...others: readonly Credentials[]
): Credentials {
  const found = new Map<string, Promise<RegistryCredential | undefined>>();
  async function look(host: string): Promise<RegistryCredential | undefined> {
    const own = [...given].find(([key]) => hostOfKey(key) === host)?.[1];
    // An entry without a password only names a host, for token servers.
    if (own !== undefined && own.password !== '') return { username: own.username, password: own.password };
    for (const other of others) {
      const credential = await other(host);
      if (credential !== undefined) return credential;
    }
    return undefined;
  }
  return (host) => {
    const known = found.get(host) ?? look(host);
    found.set(host, known);
    return known;
  };
}

/** The texts that must never be shown. */
export function secretsOf(credential: RegistryCredential): string[] {
  const basic = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
  return [
    credential.password,
    credential.password === '' ? '' : basic,
    credential.identityToken ?? '',
    credential.registryToken ?? '',
  ].filter((secret) => secret !== '');
}
