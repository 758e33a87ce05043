import type { Credential } from './engine.ts';

/** The registry in a full image name, `host[:port]/repository…`. */
export function hostOf(reference: string): string {
  return reference.split('/', 1)[0] ?? reference;
}

/** What the engine sends to that registry. It wants the header without a credential too; some answer 400 else. */
export function authOf(reference: string, credential: Credential | undefined): Record<string, string> {
  if (!credential) return {};
  const { username, password, identityToken, registryToken } = credential;
  const host = hostOf(reference);
  return {
    username,
    password,
    serveraddress: host === 'docker.io' ? 'https://index.docker.io/v1/' : host,
    ...(identityToken === undefined ? {} : { identitytoken: identityToken }),
    ...(registryToken === undefined ? {} : { registrytoken: registryToken }),
  };
}

/** Whether Podman is to be told that this registry is spoken to without TLS; Docker knows loopback by itself. */
export function isPlain(reference: string, insecure: readonly string[]): boolean {
  const host = hostOf(reference);
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host) || insecure.includes(host);
}
