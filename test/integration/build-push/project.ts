import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type {
  Candidate,
  Dossier,
  ImageSection,
  LabelSection,
  RunContext,
} from '../../../src/dossier/schema.ts';
import type { Event, Host } from '../../../src/hosts/host.ts';
import { createLog, plainStyle } from '../../../src/hosts/log.ts';
import { Failure } from '../../../src/outcome.ts';
import { readSettings } from '../../../src/settings/read.ts';
import { secretsIn } from '../../../src/settings/secrets.ts';
import { step as buildPush } from '../../../src/steps/build-push.ts';
import { step as label } from '../../../src/steps/label.ts';
import type { CandidateStep, StepInput, StepResult } from '../../../src/steps/step.ts';
import type { Tools } from '../../../src/steps/tools.ts';
import { createTools } from '../../../src/tools.ts';

/** What one CI run of label and build-push is about. */
export interface RunFacts {
  readonly image: string;
  readonly dockerHost: string;
  readonly files: Readonly<Record<string, string | Buffer>>;
  readonly version?: string;
  readonly commit?: string;
  readonly context?: RunContext;
  readonly event?: Partial<Event>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The compose files of a recipe that is an application; it has no own image then. */
  readonly compose?: readonly string[];
  /** A folder that is the ledger. */
  readonly ledger?: string;
  readonly signal?: AbortSignal;
  /** Called before label with the checkout's folder: what a map of files cannot say. */
  readonly prepare?: (folder: string) => void;
  /** Called between label and build-push with the checkout's folder. */
  readonly between?: (folder: string) => void;
  /** Stands in for single tools. */
  readonly tools?: (tools: Tools) => Partial<Tools>;
}

export interface RunResult {
  readonly result?: StepResult;
  readonly failure?: Failure;
  /** The section `image`, where there is one. */
  readonly image?: ImageSection;
  readonly label?: LabelSection;
  /** Everything that was written to the log, masked as it would be. */
  readonly log: string;
}

/** A commit for this name: 40 hex. */
export function commitNamed(name: string): string {
  return createHash('sha1').update(name).digest('hex');
}

/** Runs label and build-push as a CI job would: own checkout, own tools, own log. */
export async function run(facts: RunFacts): Promise<RunResult> {
  const root = mkdtempSync(join(tmpdir(), 'kg-project-'));
  const workspace = join(root, 'work');
  for (const [path, content] of Object.entries(facts.files)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), content);
  }
  facts.prepare?.(workspace);
  const out = join(workspace, 'knowngood-out', 'app');
  mkdirSync(out, { recursive: true });
  let written = '';
  const log = createLog({
    write: (text) => {
      written += text;
    },
    style: plainStyle,
    verbose: true,
    live: false,
  });
  const event = eventOf(facts);
  const raw = {
    image: facts.image,
    'docker-host': facts.dockerHost,
    ...(facts.ledger === undefined ? {} : { ledger: `file:${facts.ledger}` }),
    ...facts.settings,
  };
  const rawSettings = new Map(
    Object.entries(raw).map(([name, value]) => [name, { value, source: name }] as const),
  );
  for (const secret of secretsIn(rawSettings, false)) log.mask(secret);
  const { settings } = readSettings(rawSettings, {
    settingName: (name) => name,
    commaSeparatedMaps: false,
  });
  const host: Host = {
    name: event.host,
    event,
    log,
    workspace,
    rawSettings: new Map(),
    settingName: (name) => name,
    publish: async () => {},
  };
  const signal = facts.signal ?? new AbortController().signal;
  const owned = createTools({
    host,
    settings,
    env: { HOME: root, ...facts.env },
    now: () => new Date(),
    signal,
  });
  const tools: Tools = {
    ...owned,
    describe: async (commit) => `0.0.0-0-g${commit.slice(0, 7)}`,
    tree: async () => workspace,
    releaseBranch: async () => ({ name: 'main', tip: facts.commit ?? commitNamed('one') }),
    ...(facts.compose === undefined ? {} : { composeFiles: async () => ({ files: facts.compose! }) }),
    ...facts.tools?.(owned),
  };
  const candidate = candidateOf(facts);
  const runContext = facts.context ?? 'release';
  const dossier: Dossier = {
    schema: 'knowngood/dossier/v1',
    run: { id: event.run.id, event: event.kind, context: runContext },
    candidate,
  };
  const input: StepInput = {
    settings,
    event,
    host: host.name,
    log,
    tools,
    dossier,
    candidate,
    runContext,
    workspace,
    out,
    now: () => new Date(),
    signal,
  };
  try {
    const labelled = await (label as CandidateStep).run(input);
    facts.between?.(workspace);
    const section = labelled.section?.label;
    if (!section) throw new Error('label wrote no section');
    const result = await (buildPush as CandidateStep).run({
      ...input,
      dossier: { ...dossier, label: section },
    });
    const image = result.section?.image;
    const labels = 'recipeDocument' in section ? { label: section } : {};
    return { result, log: written, ...labels, ...(image && 'image' in image ? { image } : {}) };
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    return { failure: cause, log: written };
  } finally {
    await owned.close();
    rmSync(root, { recursive: true, force: true });
  }
}

function eventOf({ event, version }: RunFacts): Event {
  return {
    host: 'terminal',
    kind: 'tag',
    name: 'tag',
    repository: { slug: 'acme/app', webUrl: 'https://git.example.org/acme/app', defaultBranch: 'main' },
    ...(version === undefined ? {} : { tag: version, ref: `refs/tags/${version}` }),
    run: { id: 'run-1', attempt: 1 },
    payload: () => undefined,
    ...event,
  };
}

function candidateOf(facts: RunFacts): Candidate {
  const { commit = commitNamed('one'), version, image, context, compose } = facts;
  return {
    recipe: 'app',
    commit,
    checkout: commit,
    tree: commitNamed('tree'),
    dirty: [],
    committedAt: '2026-01-02T03:04:05Z',
    subject: compose === undefined ? { kind: 'image', image } : { kind: 'compose', images: {} },
    ...(version === undefined ? {} : { version }),
    ...(version === undefined || context === 'change' ? {} : { tag: version }),
  };
}
