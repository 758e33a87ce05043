/** How the usual programs say that they could not reach a host; the first group is the host. */
const sayings: readonly RegExp[] = [
  /Could not resolve host: ([\w.-]+)/i,
  /bad address '([^'\s]+)'/,
  /Temporary failure resolving '([^'\s]+)'/,
  /(?:getaddrinfo|queryA) (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/,
  /unable to resolve host(?: address)? ['‘"]?([\w.-]+)/i,
  /dial tcp: lookup ([\w.-]+)/,
  /dial tcp ([\w.[\]:-]+): (?:connect: |i\/o timeout)/,
  /Could not connect to ([\w.-]+(?::\d+)?)/,
  /Failed to connect to ([\w.-]+) port/i,
  /can't connect to remote host \(?([\w.:-]+)\)?/,
  /Connecting to ([\w.-]+)[^\n]*\.\.\. failed/,
  /connect (?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH) ([\w.:[\]-]+)/,
  /HTTPS?ConnectionPool\(host='([^']+)'/,
  /failed to lookup address information[^\n]*?([\w-]+(?:\.[\w-]+)+)/i,
  /([\w-]+(?:\.[\w-]+)+): (?:Name or service not known|nodename nor servname)/,
  /ssh: Could not resolve hostname ([\w.-]+)/i,
];

/** The host that these lines of output say could not be reached, if they say so. Untrusted text. */
export function unreachedHost(lines: readonly string[]): string | undefined {
  for (const line of [...lines].reverse()) {
    for (const saying of sayings) {
      const host = saying.exec(line)?.[1];
      if (host) return host.slice(0, 253);
    }
  }
  return undefined;
}
