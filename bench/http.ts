import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { createHttp } from '../src/http/client.ts';
import { systemClock } from '../src/http/clock.ts';
import type { Http } from '../src/http/http.ts';
import { type Comparison, comparison, sideBySide } from './measure.ts';

const HEADS = 2000;
const AT_ONCE = 8;
const PIECE = Buffer.alloc(65_536, 'knowngood');
const PIECES = 2048;

const server = `
import { createServer } from 'node:http';
const blob = Buffer.alloc(${PIECE.length * PIECES}, 'x');
const one = createServer((request, response) => {
  if (request.method === 'PUT') return request.resume().on('end', () => response.writeHead(201).end());
  if (request.method === 'GET') return response.writeHead(200, { 'content-length': blob.length }).end(blob);
  response.writeHead(200, { 'content-length': 1234, 'docker-content-digest': 'sha256:' + 'a'.repeat(64) }).end();
}).listen(0, '127.0.0.1', () => console.log(one.address().port));
`;

/** Our HTTP beside Node's own fetch, to a server of another process. */
export async function bench(): Promise<Comparison[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', server], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const http = createHttp({ clock: systemClock });
  try {
    const [port] = await once(child.stdout, 'data');
    const url = `http://127.0.0.1:${String(port).trim()}`;
    const rows: Comparison[] = [];
    for (const { name, ours, theirs, limit } of races(http, url)) {
      const [us, them] = await sideBySide(5, ours, theirs);
      rows.push(comparison(`http: ${name} beside fetch`, us, them, limit));
    }
    return rows;
  } finally {
    await http.close();
    child.kill();
  }
}

function races(http: Http, url: string) {
  return [
    {
      name: `HEAD of ${HEADS} manifests`,
      ours: () => inTurn((path) => http.request({ url: `${url}/${path}`, method: 'HEAD' })),
      theirs: () => inTurn((path) => fetch(`${url}/${path}`, { method: 'HEAD' })),
      limit: 1.2,
    },
    {
      name: '128 MiB down',
      ours: () => http.request({ url, verbatim: true, limit: PIECE.length * PIECES }),
      theirs: async () => (await fetch(url)).arrayBuffer(),
      limit: 1.5,
    },
    {
      name: '128 MiB up',
      ours: () => {
        const body = { size: PIECE.length * PIECES, open: () => Readable.from(pieces()) };
        return http.request({ url, method: 'PUT', body });
      },
      theirs: () => {
        const body = ReadableStream.from(pieces());
        return fetch(url, { method: 'PUT', body, duplex: 'half' } as RequestInit);
      },
      limit: 1.5,
    },
  ];
}

function* pieces(): Generator<Buffer> {
  for (let piece = 0; piece < PIECES; piece++) yield PIECE;
}

/** Eight at a time: as many as we open connections for. */
async function inTurn(one: (path: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < HEADS) await one(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
