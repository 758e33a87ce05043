import type { Candidate, Dossier, TestSection } from '../../../src/dossier/schema.ts';
import { openHistory } from '../../../src/git/history.ts';
import type { Event } from '../../../src/hosts/host.ts';
import { createLog, plainStyle } from '../../../src/hosts/log.ts';
import { fileStore } from '../../../src/ledger/file.ts';
import { ledgerOver } from '../../../src/ledger/records.ts';
import { readSettings } from '../../../src/settings/read.ts';
import { readRecipeFile } from '../../../src/settings/recipe-file.ts';
import type { StepInput } from '../../../src/steps/step.ts';
import type { Tools } from '../../../src/steps/tools.ts';
import { inputFor, openRegistry, ourGit, realWaiting, remoteOf, type World } from './world.ts';

export interface Given {
  readonly settings?: Readonly<Record<string, string>>;
  readonly test?: Partial<TestSection>;
  readonly candidate?: Partial<Candidate>;
  readonly runContext?: 'release' | 'change';
  readonly tools?: Partial<Tools>;
  /** knowngood.yml on the release branch. */
  readonly config?: string;
}

const run = 'github-7-1';

/** What a step is given in this world: real git, registry and ledger; the parts that it must not need are absent. */
export function inputOf(
  world: World,
  version: string,
  given: Given = {},
): StepInput & { readonly said: () => string } {
  const input = inputFor(world, version);
  const evidence = input.evidence!;
  const { settings } = readSettings(
    new Map(
      Object.entries(given.settings ?? {}).map(([name, value]) => [name, { value, source: `\`${name}\`` }]),
    ),
    { settingName: (name) => name, commaSeparatedMaps: false },
  );
  let said = '';
  const log = createLog({
    write: (text) => {
      said += text;
    },
    style: plainStyle,
    verbose: false,
    live: false,
  });
  const candidate: Candidate = {
    recipe: world.recipe,
    commit: input.candidate.commit,
    checkout: input.candidate.checkout,
    tree: input.candidate.tree,
    dirty: [],
    version,
    tag: version,
    committedAt: '2026-01-01T00:00:00Z',
    subject: { kind: 'image', image: world.image },
    ...given.candidate,
  };
  const test: TestSection = {
    outcome: 'done',
    reasons: ['green'],
    verdict: evidence.verdict,
    tiers: evidence.tiers.map((tier) => ({ ...tier, startedAt: evidence.startedAt, durationMs: 5 })),
    subject: {
      kind: 'image',
      image: world.image,
      digest: world.releases[version]!.digest,
      tested: ['linux/amd64'],
    },
    recipe: world.recipe,
    version,
    commit: candidate.commit,
    context: 'release',
    run,
    harness: '1.0.0',
    cold: true,
    commands: 'contained',
    effect: true,
    startedAt: evidence.startedAt,
    finishedAt: evidence.finishedAt,
    logs: 'knowngood-out/app/logs',
    findings: [],
    ...(evidence.base === undefined ? {} : { base: evidence.base }),
    ...given.test,
  };
  const dossier: Dossier = {
    schema: 'knowngood/dossier/v1',
    run: { id: run, event: 'tag', context: 'release' },
    candidate,
    test,
  };
  const remote = remoteOf(world);
  const unasked = (name: string) => async (): Promise<never> => {
    throw new Error(`the step asked for ${name}`);
  };
  const ledgerFolder = world.ledger.kind === 'file' ? world.ledger.folder : '';
  const tools: Partial<Tools> = {
    version: '1.0.0',
    clock: realWaiting,
    recipeName: 'app',
    promotion: () => import('../../../src/promotion/promotion.ts'),
    statements: () => import('../../../src/provenance/statements.ts'),
    recipes: () => import('../../../src/recipe/making.ts'),
    verifying: () => import('../../../src/provenance/verifying.ts'),
    ledger: async () => ledgerOver(fileStore({ folder: ledgerFolder, waiting: realWaiting })),
    registry: async () => openRegistry(),
    repository: async () => ({ kind: 'https', url: 'https://git.example.org/acme/app.git' }),
    statedVersions: async () => [],
    checkoutNow: async () => candidate,
    reviewedPolicy: async () => undefined,
    recipeFile: async () => readRecipeFile(Buffer.from(given.config ?? ''), 'knowngood.yml'),
    projectNow: async () => {
      const history = await openHistory(ourGit(world), remote, 'main');
      return {
        history,
        branch: history.branch,
        file: readRecipeFile(Buffer.from(given.config ?? ''), 'knowngood.yml'),
        pattern: '*',
        readFile: async () => undefined,
      };
    },
    engine: unasked('the engine'),
    policy: unasked('a policy of the checkout'),
    candidate: async () => candidate,
    ...given.tools,
  };
  const event: Event = {
    host: 'github',
    kind: 'tag',
    name: 'push',
    repository: {},
    actor: 'somebody',
    run: { id: run, attempt: 1 },
    payload: () => undefined,
  };
  return {
    settings,
    event,
    host: 'github',
    log,
    tools: tools as Tools,
    dossier,
    candidate,
    runContext: given.runContext ?? 'release',
    workspace: world.repository,
    out: world.scratch,
    now: () => new Date(),
    signal: new AbortController().signal,
    said: () => said,
  };
}
