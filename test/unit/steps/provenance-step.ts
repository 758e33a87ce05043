import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Candidate, Dossier, ImageSection, TestSection } from '../../../src/dossier/schema.ts';
import type { Log } from '../../../src/hosts/host.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { type Policy, readPolicy } from '../../../src/provenance/policy.ts';
import type { PublishedRecipe, Recomputed } from '../../../src/provenance/verification.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { Settings } from '../../../src/settings/schema.ts';
import type { StepInput } from '../../../src/steps/step.ts';
import type { Tools } from '../../../src/steps/tools.ts';
import { commit, droneFacts, repository, version, virtualClock } from '../provenance/scene.ts';

export const imageName = 'registry.example:5000/acme/hedgedoc';
export const runId = 'drone-drone.example.org-acme/hedgedoc-42';

export const candidate: Candidate = {
  recipe: 'hedgedoc',
  commit,
  checkout: commit,
  tree: 'b'.repeat(40),
  dirty: [],
  version: '3.0.1+v2.0.0',
  tag: '3.0.1+v2.0.0',
  committedAt: '2026-01-02T03:04:05Z',
  subject: { kind: 'image', image: imageName },
};

export function imageSection(digest: Digest, more: Partial<ImageSection> = {}): ImageSection {
  return {
    outcome: 'done',
    reasons: ['built'],
    image: imageName,
    digest,
    stagedTags: [],
    source: 'built',
    pushed: true,
    platforms: {},
    labels: {},
    ...more,
  };
}

export function testSection(digest: Digest, more: Partial<TestSection> = {}): TestSection {
  return {
    outcome: 'done',
    reasons: ['green'],
    verdict: 'green',
    tiers: [{ name: 'install', verdict: 'pass', startedAt: '2026-01-02T03:04:05Z', durationMs: 1 }],
    subject: { kind: 'image', image: imageName, digest, tested: ['linux/amd64'] },
    recipe: 'hedgedoc',
    version,
    commit,
    context: 'change',
    run: runId,
    harness: '1.4.0',
    cold: true,
    commands: 'contained',
    effect: undefined,
    startedAt: '2026-01-02T03:04:05Z',
    finishedAt: '2026-01-02T03:04:06Z',
    logs: 'knowngood-out/hedgedoc/logs',
    findings: [],
    ...more,
  };
}

export interface Given {
  readonly registry: Registry;
  readonly image?: ImageSection;
  readonly test?: Dossier['test'];
  readonly attestations?: NonNullable<Dossier['attestations']>;
  readonly dossierRun?: string;
  readonly candidate?: Partial<Candidate>;
  readonly context?: 'release' | 'change';
  readonly host?: StepInput['host'];
  readonly facts?: Readonly<Record<string, string>>;
  readonly webUrl?: string;
  readonly settings?: Partial<Settings>;
  readonly policy?: Policy | string;
  readonly recomputed?: (published: PublishedRecipe) => Recomputed;
}

export interface Played {
  readonly input: StepInput;
  readonly masked: string[];
  /** Modules that were asked for, by the tool's name. */
  readonly loaded: string[];
  file(name: string): string;
}

/** A step's input over a registry in memory, in a workspace of its own. */
export function play(given: Given): Played {
  const workspace = mkdtempSync(join(tmpdir(), 'step-'));
  const out = join(workspace, 'knowngood-out', 'hedgedoc');
  mkdirSync(out, { recursive: true });
  const masked: string[] = [];
  const loaded: string[] = [];
  const load =
    <T>(name: string, make: () => Promise<T>) =>
    () => {
      loaded.push(name);
      return make();
    };
  const own = { ...candidate, ...given.candidate };
  const tools: Partial<Tools> = {
    version: '1.4.0',
    clock: virtualClock(),
    candidate: async () => own,
    tree: async () => workspace,
    registry: async () => given.registry,
    statements: load('statements', () => import('../../../src/provenance/statements.ts')),
    signing: load('signing', () => import('../../../src/provenance/signing.ts')),
    verifying: load('verifying', () => import('../../../src/provenance/verifying.ts')),
    promotion: load('promotion', () => import('../../../src/promotion/promotion.ts')),
    policy: async () => (typeof given.policy === 'string' ? readPolicy(given.policy) : given.policy),
    recipes: (async () => ({
      folderInside: () => workspace,
      compareWithCheckout: async (_checkout: unknown, published: PublishedRecipe) =>
        given.recomputed?.(published) ?? { agrees: true },
    })) as unknown as Tools['recipes'],
  };
  const log: Partial<Log> = { info: () => {}, detail: () => {}, mask: (secret) => masked.push(secret) };
  const settings = { context: '.', dryRun: false, signing: 'none', given: new Set(), ...given.settings };
  const input = {
    settings,
    host: given.host ?? 'drone',
    event: {
      run: {
        id: runId,
        attempt: 1,
        url: 'https://drone.example.org/acme/hedgedoc/42',
        facts: given.facts ?? droneFacts,
      },
      ref: 'refs/pull/7/head',
      repository: { webUrl: given.webUrl ?? repository },
    },
    log,
    tools,
    dossier: {
      schema: 'knowngood/dossier/v1',
      run: { id: given.dossierRun ?? runId, event: 'tag', context: given.context ?? 'release' },
      candidate: own,
      ...(given.image === undefined ? {} : { image: given.image }),
      ...(given.test === undefined ? {} : { test: given.test }),
      ...(given.attestations === undefined ? {} : { attestations: given.attestations }),
    },
    candidate: own,
    runContext: given.context ?? 'release',
    workspace,
    out,
    now: () => new Date(0),
    signal: new AbortController().signal,
  } as unknown as StepInput;
  return { input, masked, loaded, file: (name) => readFileSync(join(workspace, name), 'utf8') };
}
