import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { distribution, hasApt } from './apt.ts';
import { command, tryCommand } from './command.ts';
import { suitePackages, unpackedOnce } from './packages.ts';

/**
 * Programs of real hosts, which are offered as Go modules only. `inSource`: their modules replace other modules,
 * which `go install` refuses; they are built inside a copy of the module, with its own list of checksums.
 */
const programs = {
  act: { module: 'github.com/nektos/act', version: 'v0.2.89', folder: '.' },
  actionlint: { module: 'github.com/rhysd/actionlint', version: 'v1.7.12', folder: 'cmd/actionlint' },
  'drone-runner-docker': {
    module: 'github.com/drone-runners/drone-runner-docker',
    version: 'v1.8.3',
    folder: '.',
    inSource: true,
  },
  'woodpecker-cli': { module: 'go.woodpecker-ci.org/woodpecker/v3', version: 'v3.17.0', folder: 'cmd/cli' },
  gitea: {
    module: 'code.gitea.io/gitea',
    version: 'v1.26.0',
    folder: '.',
    inSource: true,
    // Its database, in C. Templates and translations are read from the copy of the source.
    tags: 'sqlite,sqlite_unlock_notify',
    compiler: 'cc',
  },
} as const;

interface Program {
  readonly module: string;
  readonly version: string;
  readonly folder: string;
  readonly inSource?: boolean;
  readonly tags?: string;
  /** A program that the build needs beside Go. */
  readonly compiler?: string;
}

export type GoProgramName = keyof typeof programs;

export interface GoProgram {
  readonly path: string;
  readonly version: string;
  /** Copy of the module's source, where the program was built in one. */
  readonly source?: string;
}

/** Why a program is not there, as one sentence for people. */
export interface MissingProgram {
  readonly missing: string;
}

/**
 * A pinned program, built by the ordinary Go client at first use and kept in `.sandbox`. Go is the machine's, else
 * Debian's, unpacked. Where a build is not possible, a program of this name on the PATH is taken; else it is missing.
 */
export async function goProgram(name: GoProgramName): Promise<GoProgram | MissingProgram> {
  const program: Program = programs[name];
  try {
    const { root } = await unpackedOnce(`go/${name}-${program.version}`, (folder) =>
      build(name, program, folder),
    );
    const source = join(root, 'source');
    return {
      path: join(root, 'bin', name),
      version: program.version,
      ...(existsSync(source) ? { source } : {}),
    };
  } catch (cause) {
    const path = onPath(name);
    if (path !== undefined) return { path, version: 'of this machine' };
    const why = cause instanceof Error ? cause.message : String(cause);
    return { missing: `${name} ${program.version} cannot be had here: ${lastWords(why)}` };
  }
}

async function build(name: string, program: Program, folder: string): Promise<Record<string, string>> {
  const { module, version, tags } = program;
  if (program.compiler !== undefined && onPath(program.compiler) === undefined) {
    throw new Error(`its build needs a C compiler, \`${program.compiler}\``);
  }
  const { go, env } = await goClient();
  process.stderr.write(`sandbox: building ${name} ${version} once; this takes a while\n`);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const options = ['-trimpath', ...(tags === undefined ? [] : [`-tags=${tags}`])];
  if (program.inSource) {
    const answer = await command([go, 'mod', 'download', '-json', `${module}@${version}`], {
      cwd: folder,
      env,
    });
    const source = join(folder, 'source');
    // The client's own copy is read-only, so that nobody changes it.
    cpSync((JSON.parse(answer) as { Dir: string }).Dir, source, { recursive: true });
    makeWritable(source);
    await command([go, 'build', ...options, '-o', join(bin, name), `./${program.folder}`], {
      cwd: source,
      env,
    });
  } else {
    const what = program.folder === '.' ? module : `${module}/${program.folder}`;
    const made = { ...env, GOBIN: bin };
    await command([go, 'install', ...options, `${what}@${version}`], { cwd: folder, env: made });
    const [built] = readdirSync(bin);
    if (built !== undefined && built !== name) cpSync(join(bin, built), join(bin, name));
  }
  return { [module]: version };
}

/** The machine's Go, or Debian's newest, unpacked. What the machine's environment says about modules is kept. */
async function goClient(): Promise<{ go: string; env: NodeJS.ProcessEnv }> {
  if ((await tryCommand(['go', 'version'])).code === 0) return { go: 'go', env: process.env };
  if (distribution().id !== 'debian' || !(await hasApt())) {
    throw new Error('there is no Go on this machine; install it from go.dev');
  }
  const version = '1.26.10';
  const wanted = ['golang-1.26-go', 'golang-1.26-src'].map((name) => ({ name, version }));
  const { root } = await suitePackages(`golang-${version}`, wanted, ['forky', 'sid']);
  const goroot = join(root, 'usr/lib/go-1.26');
  return { go: join(goroot, 'bin/go'), env: { ...process.env, GOROOT: goroot } };
}

function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeWritable(path);
    else if (entry.isFile()) chmodSync(path, 0o644);
  }
}

/** The end of what a program said tells why; addresses of the machine's own module servers are nobody's business. */
function lastWords(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const last = lines.filter((line) => line !== '').at(-1) ?? '';
  return last.replace(/https?:\/\/\S+/g, '(its server)').slice(-300);
}
