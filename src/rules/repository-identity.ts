/**
 * What a repository is called however it is reached: `host/owner/name` for https, http, ssh and scp-like addresses,
 * without user, default port, `.git` and trailing slashes; a path as it is. Two clones of one repository over two
 * transports have one identity.
 */
export function repositoryIdentity(address: string): string {
  const scp = /^(?:[^@/:\s]+@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)(.+)$/.exec(address);
  if (scp !== null) return joined(scp[1]!, '', scp[2]!);
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return trimmed(address);
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return trimmed(address);
  }
  if (url.protocol === 'file:') return trimmed(url.pathname);
  const usual = ['', '22', '80', '443'].includes(url.port);
  return joined(url.hostname, usual ? '' : `:${url.port}`, url.pathname);
}

function joined(host: string, port: string, path: string): string {
  return `${host.toLowerCase()}${port}/${trimmed(path).replace(/^\/+/, '')}`;
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '').replace(/\.git$/, '');
}
