import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Sandbox } from '../../sandbox/index.ts';
import { projectRoot } from '../../sandbox/paths.ts';
import { bundleFolder } from './bundle.ts';
import { keepLog } from './kept-logs.ts';
import { hostProgram } from './programs.ts';
import { ledgerToken } from './project.ts';

/** One run of a workflow by act, on this machine instead of in containers. */
export interface WorkflowRun {
  readonly workflow: string;
  /** GitHub's name of the event, and its payload. */
  readonly event: string;
  readonly payload: unknown;
  /** Full ref that GitHub names for this event, and its commit. */
  readonly ref: string;
  readonly sha: string;
  /** Server with the repository, `http://127.0.0.1:<port>`, and `owner/name` there. */
  readonly server: string;
  readonly repository: string;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly job?: string;
}

export interface WorkflowEnd {
  readonly code: number;
  /** As a person at a terminal sees it. */
  readonly log: string;
  /** Outputs of each step by the step's id, as the workflow's later steps see them. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Job summaries, in order. */
  readonly summary: string;
  /** Errors, warnings and notices, as GitHub shows them beside the run. */
  readonly annotations: readonly string[];
  /** A file of what was uploaded by this name. */
  artifact(name: string, path: string): string;
  /** What other people's actions were called with. */
  readonly calls: readonly { readonly name: string; readonly with: Readonly<Record<string, string>> }[];
}

/** What every job gets as `github.token`: the ledger's, and the forge's where the test names another. */
const jobToken = ledgerToken;

/** Runs a workflow as it is; `knowngood/knowngood@…` is this checkout's action.yml and dist. */
export async function runWorkflow(box: Sandbox, run: WorkflowRun): Promise<WorkflowEnd> {
  return (await startWorkflow(box, run)).end;
}

/** The same, for runs that are cancelled: `interrupt` is Ctrl-C, which act hands on as a host's cancellation. */
export async function startWorkflow(
  box: Sandbox,
  run: WorkflowRun,
): Promise<{ readonly end: Promise<WorkflowEnd>; interrupt(): void; readonly log: () => string }> {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-act-'));
  const folder = (name: string): string => {
    mkdirSync(join(root, name), { recursive: true });
    return join(root, name);
  };
  const artifacts = folder('artifacts');
  const file = (name: string, content: string): string => {
    writeFileSync(join(root, name), content);
    return join(root, name);
  };
  const node = await box.tool('node24');
  const options = (name: string, values: Readonly<Record<string, string>> = {}): string[] =>
    Object.entries(values).flatMap(([key, value]) => [name, `${key}=${value}`]);
  const argv = [
    run.event,
    ...['--workflows', file('workflow.yml', run.workflow)],
    ...['--eventpath', file('event.json', JSON.stringify(run.payload))],
    ...(run.job === undefined ? [] : ['--job', run.job]),
    ...['--platform', 'ubuntu-latest=-self-hosted'],
    ...['--no-skip-checkout', '--no-cache-server', '--json'],
    ...['--action-cache-path', folder('cache'), '--actor', 'maintainer'],
    ...localRepositories(run.workflow, root),
    ...options('--secret', { GITHUB_TOKEN: jobToken, ...run.secrets }),
    ...options('--var', run.variables),
    ...options('--env', {
      GITHUB_SERVER_URL: run.server,
      GITHUB_API_URL: `${run.server}/api/v3`,
      GITHUB_REPOSITORY: run.repository,
      GITHUB_REF: run.ref,
      SHA_REF: run.sha,
      GITHUB_RUN_ID: '4711',
      ...run.env,
    }),
  ];
  const child = spawn(hostProgram('act')!.path, argv, {
    cwd: folder('empty'),
    env: {
      ...box.env,
      HOME: folder('home'),
      PATH: `${dirname(node)}:${box.env.PATH}`,
      KNOWNGOOD_TEST_ARTIFACTS: artifacts,
      KNOWNGOOD_TEST_TOKEN: run.secrets?.GITHUB_TOKEN ?? jobToken,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  // A run that hangs must not take its log with it.
  const limit = setTimeout(() => child.kill('SIGKILL'), 270_000);
  const end = new Promise<WorkflowEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => clearTimeout(limit));
    child.on('close', (code) => resolve(ended(code ?? 128, output, artifacts)));
  });
  return { end, interrupt: () => child.kill('SIGINT'), log: () => output };
}

/** Folders that act takes for what a workflow uses: ours, and stand-ins for everybody else's. */
function localRepositories(workflow: string, root: string): string[] {
  const used = new Set(
    [...workflow.matchAll(/uses: ([\w.-]+\/[\w.-]+)[\w./-]*@(\S+)/g)].map((m) => `${m[1]}@${m[2]}`),
  );
  return [...used].flatMap((action) => {
    const name = action.split('@')[0]!;
    const folder = join(root, 'actions', name.replace('/', '-'));
    if (!existsSync(folder)) name === 'knowngood/knowngood' ? ourAction(folder) : standIn(name, folder);
    return ['--local-repository', `${action}=${folder}`];
  });
}

function ourAction(folder: string): void {
  cpSync(join(projectRoot, 'action.yml'), join(folder, 'action.yml'), { recursive: true });
  cpSync(bundleFolder, join(folder, 'dist'), { recursive: true });
}

function standIn(name: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'action.yml'), `name: ${name}\nruns: { using: node24, main: index.cjs }\n`);
  const script = join(projectRoot, 'test/hosts/other-actions.cjs');
  const lines = [
    `process.argv = [process.argv[0], '', ${JSON.stringify(name)}];`,
    `require(${JSON.stringify(script)});`,
  ];
  writeFileSync(join(folder, 'index.cjs'), `${lines.join('\n')}\n`);
}

interface Line {
  readonly msg?: string;
  readonly stepID?: readonly string[];
  readonly command?: string;
  readonly name?: string;
  readonly arg?: string;
  readonly content?: string;
  readonly raw_output?: boolean;
}

function ended(code: number, output: string, artifacts: string): WorkflowEnd {
  const lines = output.split('\n').flatMap((line): Line[] => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return line === '' ? [] : [{ msg: line }];
    }
  });
  const outputs: Record<string, Record<string, string>> = {};
  for (const { command, stepID, name, arg } of lines) {
    if (command !== 'set-output' || name === undefined) continue;
    const step = stepID?.at(-1) ?? '';
    outputs[step] = { ...outputs[step], [name]: arg ?? '' };
  }
  const calls = join(artifacts, 'calls.ndjson');
  const log = lines.map(({ msg = '' }) => msg.trimEnd()).join('\n');
  keepLog('github', log);
  return {
    code,
    log,
    outputs,
    summary: lines.flatMap(({ command, content }) => (command === 'summary' ? [content ?? ''] : [])).join(''),
    annotations: log.split('\n').filter((line) => /::(error|warning|notice)[ :]/.test(line)),
    artifact: (name, path) => readFileSync(join(artifacts, name, path), 'utf8'),
    calls: !existsSync(calls)
      ? []
      : readFileSync(calls, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
  };
}
