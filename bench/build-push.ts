import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gitEnv, type Sandbox, sandbox } from '../sandbox/index.ts';
import type { ImageSection } from '../src/dossier/schema.ts';
import { emptyLedger, promoteImage } from '../test/integration/build-push/ledger.ts';
import { type Comparison, comparison, program } from './measure.ts';

const folders = 19;
const files = 6_000;
const fileBytes = 50 * 1024;
const rounds = 2;

/** A context of 300 MB in 6,000 files for an image of 20 layers: a base, and 19 folders copied one by one. */
function makeContext(folder: string, base: string): void {
  const names = Array.from({ length: folders }, (_, index) => `part${index}`);
  for (const name of names) mkdirSync(join(folder, name), { recursive: true });
  for (let index = 0; index < files; index++) {
    writeFileSync(join(folder, names[index % folders]!, `file${index}`), randomBytes(fileBytes));
  }
  const copies = names.map((name) => `COPY ${name} /app/${name}/\n`).join('');
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${base}\n${copies}`);
}

/** A file of every folder, so that every layer is made and pushed again. */
function change(folder: string): void {
  for (let part = 0; part < folders; part++) {
    writeFileSync(join(folder, `part${part}`, `file${part}`), randomBytes(fileBytes));
  }
}

interface Project {
  readonly folder: string;
  readonly image: string;
}

/** Wall time of one command of ours, and the most memory that it held. */
async function ours(
  entry: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string>,
): Promise<{ ms: number; megabytes: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, [entry, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text));
  let kilobytes = 0;
  const watch = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      kilobytes = Math.max(kilobytes, Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has just ended.
    }
  }, 20);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(watch);
  const ms = performance.now() - start;
  if (process.env.BENCH_SHOW) process.stdout.write(output);
  if (code !== 0) throw new Error(`knowngood ${args.join(' ')} ended with ${code}:\n${output}`);
  return { ms, megabytes: kilobytes / 1024 };
}

async function commit(folder: string, version: string): Promise<void> {
  const git = (...args: readonly string[]) => program('git', ['-C', folder, ...args], gitEnv());
  git('init', '-q', '-b', 'main');
  writeFileSync(join(folder, '.gitignore'), 'knowngood-out/\n');
  git('add', '.');
  git('commit', '-q', '-m', version);
  git('tag', version);
}

/**
 * `label, build-push` beside `docker build` and `docker push` of the engine's own command line, each with a repository
 * of its own on one engine: with every layer changed since the last build, and with nothing changed since a promoted
 * release.
 */
export async function bench(): Promise<Comparison[]> {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-bench-'));
  const box = await sandbox({ engine: 'own' });
  try {
    // The source as it is now, not dist as it was committed.
    const { bundle } = await import(new URL('../scripts/build.mjs', import.meta.url).href);
    await bundle(join(root, 'dist'));
    writeFileSync(join(root, 'dist/package.json'), '{ "type": "module" }\n');
    return [...(await times(box, root)), await memory(box, root)];
  } finally {
    await box.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function times(box: Sandbox, root: string): Promise<Comparison[]> {
  const entry = join(root, 'dist/index.js');
  const base = await box.base('busybox');
  const ledger = await emptyLedger();
  const our: Project = { folder: join(root, 'app'), image: `${box.registry.host}/bench/ours` };
  const their: Project = { folder: join(root, 'theirs'), image: `${box.registry.host}/bench/theirs` };
  for (const { folder } of [our, their]) makeContext(folder, base);
  const args = ['label,build-push', '--image', our.image, '--ledger', `file:${ledger}`, '--recipe', 'app'];
  const build = (version: string) =>
    ours(entry, [...args, '--version', version], our.folder, { ...box.env, HOME: root });
  const theirs = (version: string) => {
    const start = performance.now();
    program('docker', ['build', '-q', '-t', `${their.image}:${version}`, their.folder], box.env);
    program('docker', ['push', '-q', `${their.image}:${version}`], box.env);
    return performance.now() - start;
  };
  const changed = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const version = `1.0.${round}`;
    for (const { folder } of [our, their]) if (round > 0) change(folder);
    await commit(our.folder, version);
    const [a, b] = [(await build(version)).ms, theirs(version)];
    if (process.env.BENCH_SHOW) console.log({ round, a, b });
    // The first build fills the caches of both.
    if (round > 0) {
      changed.ours.push(a);
      changed.theirs.push(b);
    }
  }
  await promoteImage(ledger, imageOf(our.folder), `1.0.${rounds}`);
  const unchanged: number[] = [];
  for (let round = 0; round < rounds; round++) unchanged.push((await build(`1.0.${rounds}`)).ms);
  const least = (times: readonly number[]) => Math.min(...times);
  const cached = least(Array.from({ length: rounds }, () => theirs(`1.0.${rounds}`)));
  if (process.env.BENCH_SHOW) console.log({ changed, unchanged, cached });
  if (imageOf(our.folder).source !== 'unchanged') throw new Error('the unchanged image was built again');
  const context = 'context of 300 MB in 6,000 files, 20 layers';
  return [
    comparison(
      `build-push, changed, beside docker build + push (${context})`,
      least(changed.ours),
      least(changed.theirs),
      1.1,
    ),
    comparison(
      `build-push, unchanged, beside docker build + push (${context})`,
      least(unchanged),
      least(changed.theirs),
      0.1,
    ),
  ];
}

function imageOf(folder: string): ImageSection {
  const { image } = JSON.parse(readFileSync(join(folder, 'knowngood-out/app/dossier.json'), 'utf8')) as {
    image: ImageSection;
  };
  return image;
}

/** Memory on a context of 2 GiB, in megabytes beside the limit. */
async function memory(box: Sandbox, root: string): Promise<Comparison> {
  const folder = join(root, 'large');
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < 4; index++) {
    writeFileSync(join(folder, `large${index}`), '');
    truncateSync(join(folder, `large${index}`), 512 * 1024 * 1024);
  }
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
  program('git', ['-C', folder, 'init', '-q', '-b', 'main'], gitEnv());
  program('git', ['-C', folder, 'add', 'Dockerfile'], gitEnv());
  program('git', ['-C', folder, 'commit', '-q', '-m', 'large'], gitEnv());
  const image = `${box.registry.host}/bench/large`;
  const { megabytes } = await ours(
    join(root, 'dist/index.js'),
    ['label,build-push', '--image', image, '--recipe', 'large', '--version', '1.0.0'],
    folder,
    { ...box.env, HOME: root },
  );
  return { ...comparison('build-push, memory on a context of 2 GiB', megabytes, 200, 1), unit: 'MB' };
}
