import type { Http } from '../http/http.ts';
import { Failure } from '../outcome.ts';
import { basicAuthorization } from './credential.ts';
import type { GitCredential } from './environment.ts';
import type { Remote } from './remote.ts';
import { parseRemoteTags, type RemoteTag } from './tags.ts';

/** Tags of one repository: 16 MiB are some 150,000. */
const LIMIT = 16 * 1024 * 1024;

/**
 * The tags of a remote by one request of git's protocol version 2 (`ls-refs` with `peel` and a ref prefix, see
 * gitprotocol-v2): names and what they are peeled to, over a connection that all repositories of a host share.
 * `undefined` where the server speaks only the older protocol, or is none of HTTP: then git itself asks.
 */
export async function lsRefs(
  http: Http,
  remote: Remote,
  credential: GitCredential | undefined,
): Promise<ReadonlyMap<string, RemoteTag> | undefined> {
  if (remote.kind !== 'https' && remote.kind !== 'http') return undefined;
  const answer = await http.request({
    url: `${remote.url.replace(/\/+$/, '')}/git-upload-pack`,
    method: 'POST',
    headers: {
      'content-type': 'application/x-git-upload-pack-request',
      accept: 'application/x-git-upload-pack-result',
      'git-protocol': 'version=2',
    },
    ...(credential === undefined ? {} : { authorization: basicAuthorization(credential) }),
    body: [line('command=ls-refs\n'), '0001', line('peel\n'), line('ref-prefix refs/tags/\n'), '0000'].join(
      '',
    ),
    limit: LIMIT,
    // Reading twice changes nothing.
    idempotent: true,
    codes: { unreachable: 'git-unreachable', invalid: 'git-failed' },
  });
  if (!answer.ok) return undefined;
  if (answer.headers['content-type'] !== 'application/x-git-upload-pack-result') return undefined;
  return readRefs(Buffer.from(answer.body));
}

function line(text: string): string {
  return `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
}

/**
 * Reads the answer: packet lines `<id> refs/tags/<name>[ peeled:<id>]`, then a flush. `undefined` where it is the
 * greeting of an older server; cut short, it is a Failure: half a list would hide the newest release.
 */
export function readRefs(body: Buffer): ReadonlyMap<string, RemoteTag> | undefined {
  const lines: string[] = [];
  for (let at = 0; ; ) {
    const digits = body.toString('latin1', at, at + 4);
    const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
    if (length === 0) break;
    if (!(length >= 4) || at + length > body.length) {
      throw new Failure('git-failed', 'The list of tags was cut short.');
    }
    lines.push(body.toString('utf8', at + 4, at + length).replace(/\n$/, ''));
    at += length;
  }
  const refs: string[] = [];
  for (const text of lines) {
    const [, id, name, peeled] =
      /^([0-9a-f]{40}|[0-9a-f]{64}) (refs\/tags\/\S+)(?: peeled:([0-9a-f]+))?$/.exec(text) ?? [];
    if (id === undefined || name === undefined) return undefined;
    refs.push(`${id}\t${name}`);
    if (peeled !== undefined) refs.push(`${peeled}\t${name}^{}`);
  }
  return parseRemoteTags(refs.join('\n'));
}
