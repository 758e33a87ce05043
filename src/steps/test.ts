import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type {
  ImageSection,
  Subject,
  TestSection,
  TierResult,
  UpgradeBaseSection,
} from '../dossier/schema.ts';
import type { Masking } from '../harness/logs.ts';
import type { TestRun } from '../harness/outcome-of-run.ts';
import type { Release, TestPlan } from '../harness/plan.ts';
import type { BaseOption } from '../harness/tiers.ts';
import { formatReference, parseReference, withDigest, withTag } from '../oci/reference.ts';
import { tagOfVersion } from '../oci/tag.ts';
import { Failure, type Finding, finding } from '../outcome.ts';
import {
  knownBrokenEntry,
  phaseLine,
  reproduction,
  testSummary,
  tierLines,
  troubleText,
  troubleTitle,
} from '../report/test.ts';
import { parseEnvFile } from '../rules/env-file.ts';
import { naTiers, type TestRules, testPlan } from '../rules/test-plan.ts';
import { outcomeOfVerdict, type Verdict, verdictOf } from '../rules/verdict.ts';
import type { Step, StepInput, StepResult } from './step.ts';

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
  return conclude(input, { plan, bases, base, run, rules });
}

interface Ended {
  readonly plan: TestPlan;
  readonly bases: readonly BaseOption[];
  readonly base: UpgradeBaseSection;
  readonly run: TestRun;
  readonly rules: TestRules;
}

async function conclude(input: StepInput, ended: Ended): Promise<StepResult> {
  const { log, candidate, runContext, dossier, tools, workspace, settings } = input;
  const { run, plan } = ended;
  const tiers = run.tiers.map(
    ({ name, verdict, reason, detail, startedAt, durationMs }): TierResult => ({
      name,
      verdict,
      ...(reason === undefined ? {} : { reason }),
      ...(detail === undefined ? {} : { detail: log.redact(detail) }),
      startedAt: startedAt.toISOString(),
      durationMs,
    }),
  );
  const { verdict, reasons } = verdictOf(run.tiers, run.broken.length);
  const outcome = outcomeOfVerdict(verdict);
  const chosen = run.base === undefined ? undefined : ended.bases[run.base];
  const logs = relative(workspace, join(input.out, 'logs'));
  const version = candidate.version ?? candidate.commit.slice(0, 12);
  const findings: Finding[] = [...run.findings, ...brokenFindings(run), ...outcomeFinding(verdict, run)];

  for (const trouble of run.troubles) {
    log.info(troubleTitle(trouble));
    if (trouble.lines.length > 0) log.foreign(troubleText(trouble));
  }
  for (const line of tierLines(tiers)) log.info(line);
  // Where the run did not come as far as the upgrade, the base that it would have had.
  const from = chosen ?? ended.bases[0];
  const again = reproduction({
    commit: candidate.checkout,
    recipe: candidate.recipe,
    tiers: plan.tiers.map(({ name }) => name),
    context: settings.context,
    config: settings.config,
    ...(from?.tag === undefined ? {} : { baseTag: from.tag }),
  });
  if (verdict !== 'green') {
    if (run.broken.length > 0) for (const line of knownBrokenEntry(run.broken).split('\n')) log.info(line);
    log.info(`Logs: ${logs}`);
    log.info(`To run it again: ${again}`);
  }

  const section: TestSection = {
    outcome,
    reasons,
    verdict,
    tiers,
    ...(chosen === undefined
      ? {}
      : {
          base: {
            version: chosen.version,
            tag: chosen.tag ?? chosen.version,
            commit: chosen.commit,
            reason: run.base === 0 ? (ended.base.reasons[0] ?? '') : 'base-broken',
          },
        }),
    subject: await ranSubject(input, run),
    recipe: candidate.recipe,
    version,
    commit: candidate.commit,
    context: runContext,
    run: dossier.run.id,
    harness: tools.version,
    // Every installation starts on volumes of its own that were made a moment before.
    cold: true,
    commands: howCommandsRan(input, plan),
    effect: run.effect,
    startedAt: run.startedAt.toISOString(),
    finishedAt: run.finishedAt.toISOString(),
    logs,
    findings,
  };
  if (runContext === 'release') findings.push(...(await recordRun(input, section)));
  return {
    outcome,
    reasons,
    outputs: {
      verdict,
      tiers: JSON.stringify(Object.fromEntries(tiers.map(({ name, verdict: result }) => [name, result]))),
      logs,
    },
    section: { test: section },
    findings,
    summary: testSummary({
      tiers,
      run,
      candidate: version,
      reasons,
      logs,
      reproduce: again,
      ...(section.base === undefined ? {} : { base: section.base }),
    }),
    facts: [
      ['Verdict', verdict],
      ['Tiers', tiers.map(({ name, verdict: result }) => `${name} ${result}`).join(', ')],
      ...(section.base === undefined ? [] : ([['Base', section.base.version]] as const)),
    ],
  };
}

/** The line of the run log, in context `release` only. That it could not be written never changes a verdict. */
async function recordRun(
  { tools, candidate, settings, log }: StepInput,
  section: TestSection,
): Promise<Finding[]> {
  try {
    const ledger = await tools.ledger();
    if (ledger === undefined) return [];
    if (settings.ledgerInit) await ledger.init();
    await ledger.appendRun({
      recipe: candidate.recipe,
      version: section.version,
      commit: section.commit,
      subject: section.subject,
      verdict: section.verdict,
      reasons: [...section.reasons],
      tiers: Object.fromEntries(section.tiers.map(({ name, verdict }) => [name, verdict])),
      base: section.base?.version ?? null,
      run: section.run,
      startedAt: section.startedAt,
      finishedAt: section.finishedAt,
    });
    return [];
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code === 'cancelled') throw cause;
    log.detail(cause.message);
    return [
      finding(cause.code, 'warning', `The run was not noted in the ledger: ${cause.message}`, {
        remedy: cause.remedy,
      }),
    ];
  }
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
    trusted: isTrusted(input),
    keep: settings.keep,
  });
  return needsTrustedTree(plan) ? { ...plan, trustedTree: await trees.trusted() } : plan;
}

/** Whoever may write to the repository; a commit that somebody named in a comment is anybody's. */
function isTrusted({ event, settings, runContext }: StepInput): boolean {
  if (runContext === 'release') return true;
  return (
    event.pullRequest?.fork !== true && settings.candidate === undefined && settings.pullRequest === undefined
  );
}

function howCommandsRan({ candidate, runContext }: StepInput, plan: TestPlan): TestSection['commands'] {
  const all = [...plan.beforeUpgrade, ...plan.check, ...plan.tiers.flatMap(({ commands }) => commands ?? [])];
  if (plan.deploy.kind !== 'commands' && !all.some(({ kind }) => kind === 'host')) return 'contained';
  return runContext === 'release' && candidate.dirty.length === 0 ? 'release-branch-host' : 'untrusted-host';
}

function needsTrustedTree({ deploy, beforeUpgrade, check, tiers }: TestPlan): boolean {
  const commands = [...beforeUpgrade, ...check, ...tiers.flatMap((tier) => tier.commands ?? [])];
  return deploy.kind === 'commands' || commands.some(({ kind }) => kind === 'run' || kind === 'host');
}

/** Whether the deployment takes files of a release's tree. */
function needsFiles({ deploy }: TestPlan): boolean {
  return deploy.kind !== 'image' || deploy.volumes.some(({ kind }) => kind === 'bind');
}

/** The candidate's own image: by digest where it was pushed, else by the engine's id of what was built here. */
function ownImage({ dossier, candidate }: StepInput): Pick<Release, 'image'> {
  if (candidate.subject.kind !== 'image') return {};
  const image = dossier.image as ImageSection;
  const repository = repositoryOf(image.image);
  if (image.digest !== undefined && image.pushed) {
    return {
      image: {
        repository,
        reference: formatReference(withDigest(parseReference(image.image), image.digest)),
      },
    };
  }
  if (image.imageId === undefined) {
    throw new Failure('dossier-incomplete', 'The dossier names no image that could be tested.', {
      remedy: 'Run `build-push` first; without `push` the image has to be built on the engine that tests it.',
    });
  }
  return { image: { repository, reference: image.imageId } };
}

function repositoryOf(image: string): string {
  const { registry, repository } = parseReference(image);
  return `${registry}/${repository}`;
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

async function baseImage(
  { dossier, tools }: StepInput,
  version: string,
  ref: string | undefined,
): Promise<NonNullable<Release['image']>> {
  const own = parseReference((dossier.image as ImageSection).image);
  const repository = repositoryOf((dossier.image as ImageSection).image);
  if (ref !== undefined) return { repository, reference: ref };
  const tagged = withTag(own, tagOfVersion(version));
  const found = await (await tools.registry()).resolve(tagged);
  if (found === undefined)
    throw new Failure('image-missing', `${formatReference(tagged)} is not in the registry.`);
  return { repository, reference: formatReference(withDigest(own, found.digest)) };
}

/** The engine's own copy if it has one, else the registry's, asked with this registry's credential only. */
async function ensureImage({ tools, log }: StepInput, reference: string): Promise<void> {
  const engine = await tools.engine();
  if ((await engine.image(reference)) !== undefined) return;
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(reference)) {
    throw new Failure('image-missing', 'The image that was built is not on the engine that tests.', {
      remedy: 'Build and test on one engine, or push the image.',
    });
  }
  const credential = await tools.registryCredential(parseReference(reference).registry);
  log.detail(`Pulling ${reference}`);
  try {
    await engine.pull(reference, credential, () => undefined);
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code !== 'base-unresolved') throw cause;
    throw new Failure('image-missing', cause.message, { cause });
  }
}

/** What the candidate ran as: the own image's digest, or every service's image by digest. */
async function ranSubject({ candidate, dossier, tools }: StepInput, run: TestRun): Promise<Subject> {
  const engine = await tools.engine();
  if (candidate.subject.kind === 'image') {
    const { image, digest, platforms } = dossier.image as ImageSection;
    const { platform } = await engine.info();
    return {
      kind: 'image',
      image,
      ...(digest === undefined ? {} : { digest }),
      platforms,
      tested: [platform],
    };
  }
  const images = await Promise.all(
    Object.entries(run.ran).map(async ([service, { imageId, reference }]): Promise<[string, string]> => {
      const found = await engine.image(imageId).catch(() => undefined);
      const name = reference.replace(/@.*$/, '');
      const digests = found?.repoDigests ?? [];
      return [service, digests.find((digest) => sameRepository(digest, name)) ?? digests[0] ?? reference];
    }),
  );
  return { kind: 'compose', images: Object.fromEntries(images.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function sameRepository(a: string, b: string): boolean {
  try {
    return repositoryOf(a) === repositoryOf(b);
  } catch {
    return false;
  }
}

function brokenFindings({ broken }: TestRun): Finding[] {
  if (broken.length === 0) return [];
  return [
    finding('base-broken', 'warning', `${broken.map(({ version, why }) => `${version}: ${why}`).join(' ')}`, {
      remedy: `Declare it in knowngood.yml on the release branch if it is really broken.`,
      replacement: knownBrokenEntry(broken),
    }),
  ];
}

/** The reason as an annotation, where the answer is not green. */
function outcomeFinding(verdict: Verdict, run: TestRun): Finding[] {
  if (verdict === 'green') return [];
  // One that names its place in a file is said there.
  const placed = new Set(run.findings.filter(({ level }) => level === 'error').map(({ code }) => code));
  return run.tiers.flatMap(({ name, verdict: result, reason, detail }) =>
    (result === 'fail' || result === 'inconclusive') &&
    reason !== undefined &&
    reason !== 'tier-not-run' &&
    !placed.has(reason)
      ? [finding(reason, 'error', `${name}: ${detail ?? reason}`)]
      : [],
  );
}

function maskingOf({ log }: StepInput): Masking {
  return { redact: (text) => log.redact(text), stream: () => log.redactStream() };
}

function runId(): string {
  return randomBytes(8).toString('hex').slice(0, 10);
}

/** The trees that a test reads, laid out once each in the run's own folder. */
interface Trees {
  /** The candidate's files: the checkout, unless it is somebody else's commit beside a trusted one. */
  candidate(needed: boolean): Promise<string>;
  /** The release branch's files: scripts of `run` and `host` commands come from there only. */
  trusted(): Promise<string>;
  of(commit: string): Promise<string>;
  remove(): void;
}

function treesOf({ tools, out, workspace, settings, runContext }: StepInput, rules: TestRules): Trees {
  const root = join(out, 'trees');
  const made = new Map<string, Promise<string>>();
  const of = (commit: string): Promise<string> => {
    const known = made.get(commit);
    if (known !== undefined) return known;
    const making = (async () => {
      const folder = join(root, commit);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(root, { recursive: true });
      return join(await tools.layOut(commit, folder), settings.context);
    })();
    made.set(commit, making);
    return making;
  };
  return {
    of,
    candidate: async (needed) => join(needed ? await tools.tree() : workspace, settings.context),
    trusted: async () =>
      runContext === 'release' ? join(await tools.tree(), settings.context) : of(rules.tip),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
