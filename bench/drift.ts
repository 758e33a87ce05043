import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { createHttp } from '../src/http/client.ts';
import { systemClock } from '../src/http/clock.ts';
import { readPins } from '../src/pins/read-tree.ts';
import { createRegistry } from '../src/registry/client.ts';
import { Look } from '../src/steps/drift/look.ts';
import { pins } from '../src/steps/drift/pins.ts';
import type { Project } from '../src/steps/drift/project.ts';
import { type Comparison, comparison, sideBySide } from './measure.ts';

const PINS = 10_000;
const IMAGES = 500;
/** What a registry on the internet takes to answer, at best. */
const LATENCY_MS = 30;
/** Connections to one registry, the same on both sides. */
const CONNECTIONS = 8;

/** A registry that answers after a while, in a process of its own; counts what it was asked. */
const server = `
import { createServer } from 'node:http';
let asked = 0;
const digest = 'sha256:' + 'a'.repeat(64);
createServer((request, response) => {
  if (request.url === '/asked') { response.end(String(asked)); asked = 0; return; }
  asked++;
  setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json', 'docker-content-digest': digest });
    response.end();
  }, ${LATENCY_MS});
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
`;

/** The pins of ten thousand services, read and looked up, beside a loop that only asks for the same five hundred. */
export async function bench(): Promise<Comparison[]> {
  const folder = mkdtempSync(join(tmpdir(), 'knowngood-drift-'));
  const child = spawn(process.execPath, ['--input-type=module', '-e', server], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const port = await new Promise<string>((done) => {
      child.stdout.once('data', (data: Buffer) => done(data.toString().trim()));
    });
    const host = `127.0.0.1:${port}`;
    write(folder, host);
    const urls = Array.from({ length: IMAGES }, (_, n) => `http://${host}/v2/team/app${n}/manifests/1.0.0`);
    const [ours, theirs] = await sideBySide(
      7,
      () => check(folder),
      () => headLoop(urls),
    );
    await fetch(`http://${host}/asked`);
    await check(folder);
    const asked = Number(await (await fetch(`http://${host}/asked`)).text());
    return [
      comparison(
        `drift: ${PINS} pins of ${IMAGES} images beside a parallel HEAD loop over the ${IMAGES}`,
        ours,
        theirs,
        1.3,
      ),
      { ...comparison(`drift: manifest requests for ${IMAGES} images`, asked, IMAGES, 1), unit: 'requests' },
    ];
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(folder: string, host: string): void {
  mkdirSync(folder, { recursive: true });
  for (let file = 0; file < 100; file++) {
    const services = Array.from({ length: PINS / 100 }, (_, n) => {
      const image = (file * 100 + n) % IMAGES;
      return `  s${n}:\n    image: ${host}/team/app${image}:1.0.0\n    restart: unless-stopped\n`;
    });
    writeFileSync(join(folder, `compose.${file}.yml`), `services:\n${services.join('')}`);
  }
}

/** The check itself, as the step runs it: new connections, nothing remembered. */
async function check(folder: string): Promise<void> {
  const http = createHttp({ clock: systemClock, connections: CONNECTIONS });
  const registry = createRegistry({ http, clock: systemClock, credentials: async () => undefined });
  const signal = new AbortController().signal;
  const look = new Look(systemClock, 60_000, signal);
  const project = { releases: { releases: [] }, file: { value: { drift: {} } } } as unknown as Project;
  const tools = {
    tree: async () => folder,
    registry: async () => registry,
    pins: async () => ({ readPins }),
  };
  const found = await pins({
    tools,
    look,
    project,
    signal,
    untrusted: false,
    settings: { pins: [], context: '.' },
    log: { info: () => {} },
    now: () => new Date(),
  } as unknown as Parameters<typeof pins>[0]);
  look.end();
  await http.close();
  if (found.length > 0) throw new Error(`${found.length} findings: ${found[0]?.message}`);
}

/** What somebody would write instead: as many requests at a time as there are connections. */
async function headLoop(urls: readonly string[]): Promise<void> {
  const dispatcher = new Agent({ connections: CONNECTIONS });
  const headers = { accept: 'application/vnd.oci.image.index.v1+json' };
  await Promise.all(
    urls.map(async (url) => {
      const answer = await dispatcher.request({
        origin: new URL(url).origin,
        path: new URL(url).pathname,
        method: 'HEAD',
        headers,
      });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode}`);
    }),
  );
  await dispatcher.close();
}
