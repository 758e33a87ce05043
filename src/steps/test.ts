import { randomBytes } from 'node:crypto';
import type { UpgradeBaseSection } from '../dossier/schema.ts';
import type { Masking } from '../harness/logs.ts';
import type { Release, TestPlan } from '../harness/plan.ts';
import type { BaseOption } from '../harness/tiers.ts';
import { Failure } from '../outcome.ts';
import { phaseLine } from '../report/test.ts';
import { parseEnvFile } from '../rules/env-file.ts';
import { naTiers, type TestRules, testPlan } from '../rules/test-plan.ts';
import { isTrustedCommit } from '../rules/trusted-commit.ts';
import type { Step, StepInput, StepResult } from './step.ts';
import { conclude } from './test/conclude.ts';
import { baseImage, ensureImage, ownImage } from './test/images.ts';
import { type Trees, treesOf } from './test/trees.ts';

/**
 * Installs the candidate, upgrades to it from the base that step-back chose, checks, and takes everything down. The
 * section is written after every command has ended: nothing is recorded before it was proven.
 */
export const step: Step = {
  name: 'test',
  about: 'candidate',
  needs: ({ subject }) => (subject.kind === 'image' ? ['image', 'upgradeBase'] : ['upgradeBase']),
  async run(input) {
    const rules = await input.tools.testRules();
    const trees = treesOf(input, rules);
    try {
      return await test(input, rules, trees);
    } finally {
      trees.remove();
    }
  },
};

async function test(input: StepInput, rules: TestRules, trees: Trees): Promise<StepResult> {
  const { tools, log, candidate, dossier } = input;
  const base = dossier.upgradeBase as UpgradeBaseSection;
  const plan = await planOf(input, rules, base, trees);
  const [engine, { runTest }] = await Promise.all([tools.engine(), tools.harness()]);
  const bases = basesOf(input, base, plan, trees);
  const release: Release = {
    role: 'candidate',
    commit: candidate.commit,
    folder: await trees.candidate(needsFiles(plan)),
    ...(candidate.version === undefined ? {} : { version: candidate.version }),
    ...ownImage(input),
  };
  if (input.settings.dryRun) return dryRun(input, plan, bases);
  const run = await runTest({
    plan,
    candidate: release,
    bases,
    docker: engine.docker,
    engine: await engine.info(),
    pull: (reference) => ensureImage(input, reference),
    out: input.out,
    masking: maskingOf(input),
    programs: tools.children,
    id: runId(),
    now: input.now,
    signal: input.signal,
    onPhase: (phase) => log.info(phaseLine(phase)),
    say: (text) => log.info(text),
  });
  return conclude(input, { plan, bases, base, run });
}

function dryRun({ log }: StepInput, plan: TestPlan, bases: readonly BaseOption[]): StepResult {
  log.info(
    `Would deploy by \`${plan.deploy.kind}\`, tiers: ${plan.tiers.map(({ name }) => name).join(', ')}.`,
  );
  const [first, ...others] = bases.map(({ version }) => version);
  if (first !== undefined) {
    log.info(`Would upgrade from ${first}${others.length === 0 ? '' : `, else ${others.join(', else ')}`}.`);
  }
  return { outcome: 'skipped', reasons: ['dry-run'], outputs: {} };
}

async function planOf(
  input: StepInput,
  rules: TestRules,
  base: UpgradeBaseSection,
  trees: Trees,
): Promise<TestPlan> {
  const { settings, candidate } = input;
  const { config } = rules;
  const path = config?.['env-file'];
  const envFile = path === undefined ? undefined : await rules.readFile(path);
  if (path !== undefined && envFile === undefined) {
    throw new Failure(
      'config-invalid',
      `\`env-file\` names ${path}, which the release branch does not have.`,
    );
  }
  const plan = testPlan({
    recipe: candidate.recipe,
    config,
    composeFiles: rules.composeFiles,
    ownImage: candidate.subject.kind === 'image',
    tiers: settings.given.has('tiers') ? settings.tiers : undefined,
    timeoutMs: {
      given: settings.given.has('timeout') ? settings.timeout : undefined,
      otherwise: settings.timeout,
    },
    na: naTiers(
      rules.expectedNa,
      candidate.version,
      base.decision === 'na' ? (base.reasons[0] ?? 'no-release') : undefined,
    ),
    envFile: parseEnvFile(envFile ?? ''),
    trusted: isTrustedCommit({
      runContext: input.runContext,
      fork: input.event.pullRequest?.fork === true,
      given: settings.candidate !== undefined || settings.pullRequest !== undefined,
    }),
    keep: settings.keep,
  });
  return needsTrustedTree(plan) ? { ...plan, trustedTree: await trees.trusted() } : plan;
}

function needsTrustedTree({ deploy, beforeUpgrade, check, tiers }: TestPlan): boolean {
  const commands = [...beforeUpgrade, ...check, ...tiers.flatMap((tier) => tier.commands ?? [])];
  return deploy.kind === 'commands' || commands.some(({ kind }) => kind === 'run' || kind === 'host');
}

/** Whether the deployment takes files of a release's tree. */
function needsFiles({ deploy }: TestPlan): boolean {
  return deploy.kind !== 'image' || deploy.volumes.some(({ kind }) => kind === 'bind');
}

/** The chosen base, then the older releases that step-back had considered, newest first. */
function basesOf(input: StepInput, section: UpgradeBaseSection, plan: TestPlan, trees: Trees): BaseOption[] {
  const { base } = section;
  if (section.decision !== 'run' || base === undefined) return [];
  const at = section.considered.findIndex(({ tag }) => tag === base.tag);
  const older = at === -1 ? [] : section.considered.slice(at + 1);
  return [base, ...older].map(
    ({ version, tag, commit, ref }: { version: string; tag: string; commit: string; ref?: string }) => ({
      version,
      tag,
      commit,
      release: async (): Promise<Release> => ({
        role: 'base',
        version,
        commit,
        folder: needsFiles(plan) ? await trees.of(commit) : input.workspace,
        ...(input.candidate.subject.kind === 'image' ? { image: await baseImage(input, version, ref) } : {}),
      }),
    }),
  );
}

function maskingOf({ log }: StepInput): Masking {
  return { redact: (text) => log.redact(text), stream: () => log.redactStream() };
}

function runId(): string {
  return randomBytes(8).toString('hex').slice(0, 10);
}
