import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { systemClock } from '../src/http/clock.ts';
import { fileStore } from '../src/ledger/file.ts';
import type { CanonicalRecord } from '../src/ledger/record.ts';
import { ledgerOver } from '../src/ledger/records.ts';
import { type Comparison, comparison, program, sideBySide } from './measure.ts';

const RECIPES = 1000;
/** The fleet that memory is compared with. */
const FEW = 100;
/** Tags of each repository. */
const TAGS = 30;
/** What a git server on the internet takes to answer, at best. */
const LATENCY_MS = 30;
/** Connections to one host: the sweep's, and so the loop's. */
const CONNECTIONS = 8;

const entry = process.env.KNOWNGOOD_BUNDLE ?? fileURLToPath(new URL('../dist/index.js', import.meta.url));
const commit = 'a'.repeat(40);

/** A git server, and GitHub's GraphQL beside it, whose repositories did not change; counts what it was asked. */
const server = `
import { createServer } from 'node:http';
const asked = { git: 0, graphql: 0, other: 0 };
const names = Array.from({ length: ${TAGS} }, (_, n) => '1.0.' + n);
const line = (text) => (text.length + 4).toString(16).padStart(4, '0') + text;
const refs = names.map((name) => line('${commit} refs/tags/' + name + '\\n')).join('') + '0000';
const nodes = names.map((name) => ({ name, target: { __typename: 'Commit', oid: '${commit}' } }));
const repository = { refs: { pageInfo: { hasNextPage: false }, nodes } };
createServer((request, response) => {
  if (request.url === '/asked') {
    // Minutes may go by until the next time: a connection that was kept would be dead then.
    response.writeHead(200, { connection: 'close' }).end(JSON.stringify(asked));
    for (const what of Object.keys(asked)) asked[what] = 0;
    return;
  }
  let body = '';
  request.on('data', (data) => { body += data; }).on('end', () => setTimeout(() => {
    if (request.url.endsWith('/git-upload-pack')) {
      asked.git++;
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' }).end(refs);
    } else if (request.url.endsWith('/graphql')) {
      asked.graphql++;
      const { variables } = JSON.parse(body);
      const data = Object.keys(variables).filter((name) => name[0] === 'o').map((name) => ['r' + name.slice(1), repository]);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data: Object.fromEntries(data) }));
    } else {
      asked.other++;
      response.writeHead(404).end();
    }
  }, ${LATENCY_MS}));
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
`;

/** What somebody would write instead: asks each repository for its tags, and compares nothing. */
const bareLoop = `
import { Agent, request } from 'node:http';
const [origin, count] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: ${CONNECTIONS} });
const body = '0014command=ls-refs\\n00010009peel\\n001bref-prefix refs/tags/\\n0000';
const headers = { 'git-protocol': 'version=2', 'content-type': 'application/x-git-upload-pack-request' };
await Promise.all(Array.from({ length: Number(count) }, (_, n) => new Promise((done, fail) => {
  request(origin + '/acme/app' + n + '/git-upload-pack', { agent, method: 'POST', headers }, (answer) => {
    answer.resume().on('end', done);
  }).on('error', fail).end(body);
})));
agent.destroy();
`;

/** Notes the most memory that a process ever had, in KiB. */
const noteMemory = `
import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.MEMORY_NOTE, String(process.resourceUsage().maxRSS)));
`;

interface Asked {
  readonly git: number;
  readonly graphql: number;
  readonly other: number;
}

/** The whole program over a fleet in which nothing is new, beside a script that only asks for the same tags. */
export async function bench(): Promise<Comparison[]> {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-sweep-'));
  const child = spawn(process.execPath, ['--input-type=module', '-e', server], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const port = await new Promise<string>((done) => {
      child.stdout.once('data', (data: Buffer) => done(data.toString().trim()));
    });
    const origin = `http://127.0.0.1:${port}`;
    const asked = async (): Promise<Asked> => (await (await fetch(`${origin}/asked`)).json()) as Asked;
    const [many, few] = [await fleetOf(root, origin, RECIPES), await fleetOf(root, origin, FEW)];
    const loop = join(root, 'loop.mjs');
    writeFileSync(loop, bareLoop);
    const [ours, theirs] = await sideBySide(
      5,
      () => many.sweep(),
      () => program(process.execPath, [loop, origin, String(RECIPES)], environment()),
    );
    await asked();
    const [large, small] = [many.memory(), few.memory()];
    const overGit = await asked();
    many.sweep('--forge-url', `${origin}/api/v3`, '--forge-token', 'any');
    const overGraphql = await asked();
    return [
      comparison(`sweep: ${RECIPES} unchanged recipes beside a script of bare requests`, ours, theirs, 1.3),
      counted(`sweep: requests for ${RECIPES + FEW} unchanged recipes`, sum(overGit), RECIPES + FEW),
      counted(`sweep: requests for ${RECIPES} unchanged recipes on GitHub`, sum(overGraphql), RECIPES / 100),
      {
        ...comparison(`sweep: memory for ${RECIPES} recipes beside ${FEW}`, large, small, 1.5),
        unit: 'MB',
      },
    ];
  } finally {
    child.kill();
    rmSync(root, { recursive: true, force: true });
  }
}

function counted(name: string, asked: number, most: number): Comparison {
  return { ...comparison(name, asked, most, 1), unit: 'requests' };
}

function sum({ git, graphql, other }: Asked): number {
  return git + graphql + other;
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: tmpdir() };
}

interface Fleet {
  sweep(...args: string[]): void;
  /** Sweeps, and answers the most memory that it took, in MB. */
  memory(): number;
}

/** A fleet of so many recipes, all of them canonical in their newest release. */
async function fleetOf(root: string, origin: string, count: number): Promise<Fleet> {
  const workspace = join(root, `fleet-${count}`);
  const folder = join(root, `ledger-${count}`);
  mkdirSync(workspace);
  const ledger = ledgerOver(fileStore({ folder, waiting: systemClock }));
  await ledger.init();
  const recipes = Array.from({ length: count }, (_, n) => `app${n}`);
  for (const recipe of recipes) {
    const version = `1.0.${TAGS - 1}`;
    const record: CanonicalRecord = {
      schema: 'knowngood/canonical/v1',
      recipe,
      version,
      tag: version,
      commit,
      subject: { kind: 'compose', images: {} },
      recipeDigest: null,
      sequence: 1,
      previous: null,
      kind: 'promote',
      hold: null,
      evidence: {
        run: '1',
        base: null,
        baseReason: 'first-release',
        tiers: { install: 'pass' },
        finishedAt: '2026-01-01T00:00:00Z',
        harness: '0.1.0',
      },
      gate: {},
      by: 'bench',
      at: '2026-01-01T00:00:00Z',
    };
    const { revision } = await ledger.read(recipe);
    await ledger.commit(recipe, record, { revision });
  }
  const entries = recipes.map((recipe) => ({ recipe, repository: `${origin}/acme/${recipe}` }));
  // JSON is YAML.
  writeFileSync(
    join(workspace, 'fleet.yml'),
    JSON.stringify({ ledger: `file:${folder}`, recipes: entries }, null, 1),
  );
  const hook = join(root, 'memory.mjs');
  const note = join(root, 'memory');
  writeFileSync(hook, noteMemory);
  const run = (options: readonly string[], args: readonly string[]): void => {
    const env = { ...environment(), MEMORY_NOTE: note, NODE_OPTIONS: `--import=${pathToFileURL(hook).href}` };
    const words = [...options, entry, 'sweep', '--fleet', 'fleet.yml', ...args];
    program(process.execPath, words, env, workspace);
    const results = readFileSync(join(workspace, 'knowngood-out', 'results.ndjson'), 'utf8').split('\n');
    const unchanged = results.filter((line) => line.includes('"no-new-version"')).length;
    if (unchanged !== count) throw new Error(`${unchanged} of ${count} recipes are unchanged`);
  };
  return {
    sweep: (...args) => run([], args),
    memory() {
      // V8's young generation grows with what passes through, by up to 48 MB, and would hide what is kept.
      run(['--max-semi-space-size=2'], []);
      return Number(readFileSync(note, 'utf8')) / 1024;
    },
  };
}
