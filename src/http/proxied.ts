import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { fault } from './broken.ts';

/** Host and port of a URL as sockets want them: no brackets, the protocol's own port where none is written. */
export function endOf(url: URL): { readonly host: string; readonly port: number } {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) };
}

/** The name that a server's certificate must carry; an address is never sent as a name (RFC 6066, 3). */
export function certifiedName(url: URL): string {
  const { host } = endOf(url);
  return isIP(host) === 0 ? host : '';
}

/** `Proxy-Authorization` from the user and password in a proxy's address; nothing where it has none. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '' && proxy.password === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

/**
 * Asks a proxy for a tunnel to `host:port` (CONNECT: RFC 9110, 9.3.6) and gives the connection behind it. Our
 * credentials for the target go through the tunnel only, the proxy's go to the proxy only.
 */
export function tunnel(
  proxy: URL,
  target: string,
  limits: { readonly connectMs: number; readonly signal: AbortSignal },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? tlsRequest : plainRequest)({
      ...endOf(proxy),
      ...(proxy.protocol === 'https:' ? { servername: certifiedName(proxy) } : {}),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyAuthorization(proxy) },
      agent: false,
      signal: limits.signal,
    });
    const timer = setTimeout(
      () => request.destroy(fault('CONNECT_TIMEOUT', 'no tunnel in time')),
      limits.connectMs,
    );
    request.on('close', () => clearTimeout(timer));
    request.on('error', reject);
    request.on('connect', ({ statusCode = 0 }, socket: Socket, head) => {
      clearTimeout(timer);
      // Whoever speaks before we have sent our greeting is no TLS server.
      if (statusCode >= 200 && statusCode < 300 && head.length === 0) return resolve(socket);
      socket.destroy();
      const code = statusCode >= 500 ? 'PROXY_UNAVAILABLE' : 'PROXY_REFUSED';
      reject(fault(code, `the proxy answered ${statusCode}`));
    });
    request.end();
  });
}
