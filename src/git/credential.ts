import type { GitCredential } from './environment.ts';
import type { Remote } from './remote.ts';

/** Credentials go to their exact origin; those in the address itself come first. */
export function credentialFor(
  remote: Remote | undefined,
  known: readonly GitCredential[],
): GitCredential | undefined {
  const { origin } = remote ?? {};
  if (remote === undefined || origin === undefined) return undefined;
  if (remote.credential !== undefined) return { origin, ...remote.credential };
  return known.find((credential) => credential.origin === origin);
}

/** The value of the header that shows a credential to git's HTTP servers. */
export function basicAuthorization({ username, password }: Omit<GitCredential, 'origin'>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
