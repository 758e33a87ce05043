import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import semver from 'semver';
import { gitServer } from '../sandbox/git-server.ts';
import { createGit } from '../src/git/git.ts';
import { openHistory } from '../src/git/history.ts';
import { parseRemote } from '../src/git/remote.ts';
import type { TagFact } from '../src/rules/releases.ts';
import { stepBack } from '../src/rules/step-back.ts';
import { type Comparison, comparison, sideBySide } from './measure.ts';

const entry = process.env.KNOWNGOOD_BUNDLE ?? fileURLToPath(new URL('../dist/index.js', import.meta.url));
const TAGS = 10_000;
/** What the issue allows for ten thousand tags. */
const BUDGET_MS = 2000;

/** Tags of a repository of ten thousand releases over smart HTTP, the whole step on it, and the rules on a real list. */
export async function bench(): Promise<Comparison[]> {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-bench-'));
  const server = await gitServer(root);
  try {
    const url = `${server.url}/many.git`;
    manyReleases(join(root, 'many.git'));
    const work = join(root, 'work');
    await run('git', ['clone', '-q', '--depth=1', '--no-tags', url, work], root);
    return [...(await reading(root, url)), ...(await wholeStep(work, url)), ...(await rulesOnRealTags())];
  } finally {
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Ours beside what people write: a full clone, and git asked for the tags that are merged. */
async function reading(root: string, url: string): Promise<Comparison[]> {
  let clones = 0;
  const [ours, theirs] = await sideBySide(
    5,
    async () => {
      const scratch = mkdtempSync(join(root, 'scratch-'));
      const git = createGit({ scratch, environment: process.env, credentials: [] });
      const history = await openHistory(git, parseRemote(url, { insecureHosts: [], folder: '/' }));
      const tags = await history.tags(history.branch, [history.branch.tip]);
      if (tags.length !== TAGS) throw new Error(`${tags.length} tags`);
    },
    async () => {
      const folder = join(root, `clone-${++clones}`);
      await run('git', ['clone', '-q', '--bare', url, folder], root);
      await run('git', ['for-each-ref', '--merged=main', '--format=%(refname) %(*objectname)'], folder);
    },
  );
  return [
    comparison(`history: ${TAGS} tags, peeled, reachable, with trees, beside a full clone`, ours, theirs, 2),
    comparison(`history: ${TAGS} tags beside its two seconds`, ours, BUDGET_MS, 1),
  ];
}

async function wholeStep(work: string, url: string): Promise<Comparison[]> {
  const args = [entry, 'step-back', '--repository', url, '--version', '9999.0.1', '--recipe', 'many'];
  const settings = ['--image', '', '--max-major-step', '1'];
  const [ours] = await sideBySide(
    5,
    () => run(process.execPath, [...args, ...settings], work),
    () => undefined,
  );
  return [comparison(`step-back: the bundle on ${TAGS} tags beside its two seconds`, ours, BUDGET_MS, 1)];
}

/** The decision on 12,129 real tags beside sorting them with npm's semver, as scripts do. */
async function rulesOnRealTags(): Promise<Comparison[]> {
  const list = new URL('../test/fixtures/tags/renovate.txt', import.meta.url);
  const tags = readFileSync(list, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): TagFact => {
      const name = line.split(' ')[0] ?? '';
      return { name, commit: name, tree: name, reachable: true, ancestor: true };
    });
  const [ours, theirs] = await sideBySide(
    10,
    () =>
      stepBack({
        context: 'change',
        target: { version: { state: 'stated', raw: '43.1.0' }, commit: 'x', tree: 'x' },
        tags,
        pattern: '*',
        knownBroken: [],
        upgrade: true,
        maxMajorStep: 1,
        now: new Date(0),
      }),
    () =>
      tags
        .flatMap(({ name }) => semver.parse(name) ?? [])
        .sort(semver.rcompare)
        .find((version) => semver.lt(version, '43.1.0')),
  );
  return [
    comparison(`step-back: the rules on ${tags.length} real tags beside sorting them`, ours, theirs, 4),
  ];
}

/** A bare repository of as many releases, one commit each, every second tag annotated. */
function manyReleases(folder: string): void {
  mkdirSync(folder);
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', folder]);
  const lines: string[] = [];
  for (let index = 0; index < TAGS; index++) {
    const who = `A <a@example.org> ${1_600_000_000 + index} +0000`;
    const tag = `${index}.0.0`;
    const file = `services:\n  app:\n    image: app:${index}\n`;
    lines.push('commit refs/heads/main', `mark :${index + 1}`, `committer ${who}`, 'data 1', 'x');
    lines.push('M 100644 inline compose.yml', `data ${file.length}`, file);
    if (index % 2 === 0) lines.push(`reset refs/tags/${tag}`, `from :${index + 1}`, '');
    else lines.push(`tag ${tag}`, `from :${index + 1}`, `tagger ${who}`, 'data 1', 'x');
  }
  execFileSync('git', ['fast-import', '--quiet'], { cwd: folder, input: `${lines.join('\n')}\n` });
  execFileSync('git', ['config', 'uploadpack.allowFilter', 'true'], { cwd: folder });
  execFileSync('git', ['pack-refs', '--all'], { cwd: folder });
}

/** Runs a program without blocking the server that it asks. */
function run(file: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${file} ended with ${code}`))));
  });
}
