import type { DeployPlan, TestPlan, TierPlan } from '../harness/plan.ts';
import { Failure } from '../outcome.ts';
import type { ReasonCode } from '../reasons.ts';
import type { TestConfig } from '../settings/test-section.ts';
import { parseVersion } from './version.ts';
import { parseRange } from './version-range.ts';

export interface TestPlanInput {
  readonly recipe: string;
  /** `test:` of knowngood.yml on the release branch; absent where the recipe has none. */
  readonly config: TestConfig | undefined;
  /** The compose files, relative to the recipe's folder: configured, or found. */
  readonly composeFiles: readonly string[];
  /** Whether the recipe has an image of its own. */
  readonly ownImage: boolean;
  /** Names from the setting `tiers`, where somebody gave it. */
  readonly tiers: readonly string[] | undefined;
  /** The setting `timeout`, where somebody gave it, and its default. */
  readonly timeoutMs: { readonly given: number | undefined; readonly otherwise: number };
  /** Tiers that do not apply to this version, with the reason code: step-back's answer, or `expected-na`. */
  readonly na: Readonly<Record<string, { readonly reason: ReasonCode; readonly detail?: string }>>;
  readonly envFile: Readonly<Record<string, string>>;
  /** False for forks and authors without permission. */
  readonly trusted: boolean;
  readonly trustedTree?: string;
  readonly keep: boolean;
}

/** What the release branch says about testing a recipe, read at its fetched tip. */
export interface TestRules {
  readonly config: TestConfig | undefined;
  /** The compose files, relative to the recipe's folder: configured, or found in the candidate. */
  readonly composeFiles: readonly string[];
  /** Commit of the release branch's tip. */
  readonly tip: string;
  /** `expected-na` by tier. */
  readonly expectedNa: Readonly<
    Record<string, { readonly reason: string; readonly versions?: string | undefined }>
  >;
  /** Text of a file in the recipe's folder at the tip; `undefined` where there is none. Fails with `path-outside`. */
  readFile(path: string): Promise<string | undefined>;
}

/**
 * Tiers that do not apply to this version, and why: what the release branch declares, and for the upgrade what
 * step-back answered. Where the version has no order, a declaration for certain versions does not cover it.
 */
export function naTiers(
  expectedNa: TestRules['expectedNa'],
  version: string | undefined,
  upgradeNa: ReasonCode | undefined,
): Record<string, { reason: ReasonCode; detail?: string }> {
  const na: Record<string, { reason: ReasonCode; detail?: string }> = {};
  const parsed = version === undefined ? undefined : parseVersion(version);
  for (const [tier, { reason, versions }] of Object.entries(expectedNa)) {
    const covers =
      versions === undefined ? true : parsed !== undefined && parseRange(versions)?.(parsed) === true;
    if (covers) na[tier] = { reason: 'expected-na', detail: reason };
  }
  if (upgradeNa !== undefined) na.upgrade ??= { reason: upgradeNa };
  return na;
}

/** What the harness is asked to do. Fails with `config-invalid` and `setting-invalid`. */
export function testPlan(input: TestPlanInput): TestPlan {
  const { config } = input;
  const deploy = deployPlan(input);
  const timeoutMs = input.timeoutMs.given ?? config?.timeout ?? input.timeoutMs.otherwise;
  const port = config?.target?.port ?? (deploy.kind === 'image' ? deploy.ports[0]?.container : undefined);
  return {
    recipe: input.recipe,
    deploy,
    target: { service: config?.target?.service ?? 'app', ...(port === undefined ? {} : { port }) },
    ...(config?.ready === undefined ? {} : { ready: config.ready }),
    beforeUpgrade: config?.['before-upgrade'] ?? [],
    check: config?.check ?? [],
    tiers: tierPlans(input),
    timeoutMs,
    tierTimeoutMs: Math.min(timeoutMs, config?.['tier-timeout'] ?? timeoutMs),
    graceMs: config?.['stop-grace'] ?? 10_000,
    env: { ...input.envFile, ...config?.env },
    // An exception is the release branch's to give, and never for somebody that it does not know.
    allow: input.trusted ? (config?.allow ?? []) : [],
    trusted: input.trusted,
    keep: input.keep,
    ...(input.trustedTree === undefined ? {} : { trustedTree: input.trustedTree }),
  };
}

function tierPlans({ config, tiers, na }: TestPlanInput): TierPlan[] {
  const known: TierPlan[] = [...(config?.tiers ?? [])].map(({ name, commands }) => ({
    name,
    ...(commands === undefined ? {} : { commands }),
  }));
  const standard = ['install', 'upgrade'];
  const names = tiers ?? (config?.tiers === undefined ? standard : config.tiers.map(({ name }) => name));
  const doubled = names.find((name, index) => names.indexOf(name) !== index);
  if (doubled !== undefined) throw new Failure('config-invalid', `The tier \`${doubled}\` is named twice.`);
  return names.map((name) => {
    const plan = known.find((tier) => tier.name === name);
    if (plan === undefined && !standard.includes(name)) {
      throw new Failure('setting-invalid', `There is no tier \`${name}\` in knowngood.yml.`, {
        remedy: `Name one of ${[...new Set([...standard, ...known.map((tier) => tier.name)])].join(', ')}.`,
      });
    }
    const reason = na[name];
    return { ...(plan ?? { name }), ...(reason === undefined ? {} : { na: reason }) };
  });
}

function deployPlan({ config, ownImage, composeFiles: files }: TestPlanInput): DeployPlan {
  const kind = config?.deploy ?? (config?.['compose-file'] === undefined && ownImage ? 'image' : 'compose');
  switch (kind) {
    case 'image': {
      if (!ownImage) {
        throw new Failure(
          'config-invalid',
          '`deploy: image` is for recipes that have an image of their own.',
        );
      }
      const command = config?.command;
      return {
        kind,
        ports: (config?.ports ?? []).map(({ container, host }) => ({
          container,
          ...(host === undefined ? {} : { host }),
        })),
        volumes: config?.volumes ?? [],
        ...(command === undefined
          ? {}
          : { command: typeof command === 'string' ? ['sh', '-c', command] : command }),
      };
    }
    case 'compose':
      return { kind, files, profiles: config?.profiles ?? [] };
    case 'swarm':
      return { kind, files };
    case 'commands': {
      const { up, down } = config ?? {};
      if (up === undefined || down === undefined) {
        throw new Failure('config-invalid', '`deploy: commands` needs both `up` and `down`.');
      }
      return { kind, up, down };
    }
  }
}
