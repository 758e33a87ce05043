import { BlockList, isIP } from 'node:net';
import { Failure } from '../outcome.ts';
import { isLoopback } from './origin.ts';

/** The values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY in either case, as the host's environment has them. */
export interface ProxySettings {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  readonly no?: string | undefined;
}

/**
 * The proxy for this URL, `undefined` for none. NO_PROXY is read as Go programs read it, the engines among them, so
 * that we and the engine take the same way: `*`, hosts with their subdomains, `.suffix`, addresses, networks, each
 * with an optional port. This machine is never behind a proxy.
 */
export function proxyFor(url: URL, settings: ProxySettings): string | undefined {
  const proxy = (url.protocol === 'https:' ? settings.https : settings.http)?.trim();
  if (!proxy || isLoopback(url.hostname)) return undefined;
  const entries = (settings.no ?? '').split(/[,\s]+/).filter((entry) => entry !== '');
  if (entries.some((entry) => matches(entry.toLowerCase(), url))) return undefined;
  const address = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new Failure('setting-invalid', 'The proxy of the environment is not an http(s) address.', {
      remedy: 'Set HTTP_PROXY and HTTPS_PROXY to http://host:port.',
    });
  }
  return address;
}

function matches(entry: string, url: URL): boolean {
  if (entry === '*') return true;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const network = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry);
  if (network !== null) return inNetwork(host, network[1]!, Number(network[2]));
  if (isIP(entry) !== 0) return entry === host;
  const [, name, wanted] = /^\[?(.+?)\]?(?::(\d+))?$/.exec(entry) ?? [];
  if (name === undefined || (wanted !== undefined && wanted !== port)) return false;
  const suffix = name.replace(/^\*?\./, '.');
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function inNetwork(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(network, bits, type);
  return list.check(host, type);
}
