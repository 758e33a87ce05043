import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Image, makeImage, pushImage } from '../../../sandbox/image.ts';
import { type Files, makeRepository, type Repository } from '../../../sandbox/repositories.ts';
import type { Event, Host } from '../../../src/hosts/host.ts';
import { createLog, plainStyle } from '../../../src/hosts/log.ts';
import { fileStore } from '../../../src/ledger/file.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { CanonicalRecord } from '../../../src/ledger/record.ts';
import { ledgerOver } from '../../../src/ledger/records.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { Failure, type Finding } from '../../../src/outcome.ts';
import { readSettings } from '../../../src/settings/read.ts';
import { step as drift } from '../../../src/steps/drift.ts';
import type { FreeStep, StepResult } from '../../../src/steps/step.ts';
import type { Tools } from '../../../src/steps/tools.ts';
import { createTools } from '../../../src/tools.ts';

/** A project with a repository, releases, images and a ledger, all real. */
export interface Scene {
  readonly root: string;
  readonly repository: Repository;
  /** `host/name` of the own image. */
  readonly image: string;
  readonly ledger: Ledger;
  release(version: string, options?: ReleaseOptions): Promise<Released>;
  /** Writes the canonical record of a release into the ledger, after those that are there. */
  promote(version: string, more?: Partial<CanonicalRecord>): Promise<void>;
  stop(): void;
}

export interface ReleaseOptions {
  readonly files?: Files;
  readonly labels?: Readonly<Record<string, string>>;
  readonly content?: string;
  /** Put no image anywhere. */
  readonly unpublished?: boolean;
}

export interface Released {
  readonly commit: string;
  readonly digest: Digest;
  readonly image: Image;
}

export async function makeScene(registry: string, name = 'app'): Promise<Scene> {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-drift-'));
  const repository = await makeRepository(join(root, 'project'));
  const image = `${registry}/drift/${randomUUID()}/${name}`;
  const ledger = openLedger(root);
  await ledger.init();
  const releases: Record<string, Released> = {};
  return {
    root,
    repository,
    image,
    ledger,
    async release(version, options = {}) {
      const commit = await repository.commit(version, { VERSION: `${version}\n`, ...options.files });
      await repository.tag(version);
      const made = await makeImage([[{ path: 'version', content: options.content ?? version }]], {
        config: {
          Labels: {
            'org.opencontainers.image.version': version,
            'dev.knowngood.version': version,
            ...options.labels,
          },
        },
      });
      if (!options.unpublished) await put(image, version, made);
      releases[version] = { commit, digest: made.digest as Digest, image: made };
      return releases[version];
    },
    async promote(version, more = {}) {
      const { commit, digest } = releases[version]!;
      const view = await ledger.read('app');
      const before = view.record();
      const record: CanonicalRecord = {
        schema: 'knowngood/canonical/v1',
        recipe: 'app',
        version,
        tag: version,
        commit,
        subject: { kind: 'image', image, digest, platforms: {}, tested: [] },
        recipeDigest: null,
        sequence: (before?.sequence ?? 0) + 1,
        previous: before
          ? { version: before.version, commit: before.commit, sequence: before.sequence }
          : null,
        kind: 'promote',
        hold: null,
        evidence: {
          run: 'run-1',
          base: null,
          baseReason: 'first-release',
          tiers: { install: 'pass' },
          finishedAt: '2026-01-01T00:00:00Z',
          harness: '0.1.0',
        },
        gate: {},
        by: 'test',
        at: '2026-01-01T00:00:00Z',
        ...more,
      };
      await ledger.commit('app', record, { revision: view.revision });
    },
    stop: () => rmSync(root, { recursive: true, force: true }),
  };
}

export function openLedger(root: string): Ledger {
  const waiting = {
    now: () => Date.now(),
    sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
    random: () => 0.5,
  };
  return ledgerOver(fileStore({ folder: join(root, 'ledger'), waiting }));
}

/** Puts an image into a registry under a tag. */
export async function put(image: string, tag: string, made: Image): Promise<void> {
  const { registry, repository } = parseReference(image);
  await pushImage(registry, repository, tag, made);
}

export interface DriftRun {
  readonly result?: StepResult;
  readonly failure?: Failure;
  readonly findings: readonly Finding[];
  readonly log: string;
}

export interface RunOptions {
  readonly event?: Partial<Event>;
  /** Milliseconds since 1970. */
  readonly now?: number;
  /** Stands in for single tools. */
  readonly tools?: (tools: Tools) => Partial<Tools>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `drift` over the scene's checkout as a job would. */
export async function runDrift(
  scene: Pick<Scene, 'root' | 'repository' | 'image'>,
  wanted: Readonly<Record<string, string>> = {},
  options: RunOptions = {},
): Promise<DriftRun> {
  const workspace = scene.repository.path;
  const out = join(scene.root, 'out');
  mkdirSync(out, { recursive: true });
  let written = '';
  const write = (text: string): void => {
    written += text;
  };
  const log = createLog({ write, style: plainStyle, verbose: true, live: false });
  const raw = {
    recipe: 'app',
    image: scene.image,
    repository: workspace,
    ledger: `file:${join(scene.root, 'ledger')}`,
    ...wanted,
  };
  const { settings } = readSettings(
    new Map(Object.entries(raw).map(([name, value]) => [name, { value, source: name }])),
    { settingName: (name) => name, commaSeparatedMaps: false },
  );
  const event: Event = {
    host: 'terminal',
    kind: 'cron',
    name: 'cron',
    repository: { slug: 'acme/app' },
    run: { id: 'run-1', attempt: 1, url: 'https://ci.example.org/runs/1' },
    payload: () => undefined,
    ...options.event,
  };
  const host: Host = {
    name: 'terminal',
    event,
    log,
    workspace,
    rawSettings: new Map(),
    settingName: (name) => name,
    publish: async () => {},
  };
  const signal = new AbortController().signal;
  const now = () => new Date(options.now ?? Date.now());
  const env = { HOME: scene.root, PATH: process.env.PATH ?? '', ...options.env };
  const owned = createTools({ host, settings, env, now, signal });
  const tools: Tools = { ...owned, ...options.tools?.(owned) };
  const input = { settings, event, host: host.name, log, tools, workspace, out, now, signal };
  try {
    const result = await (drift as FreeStep).run(input);
    const findings = JSON.parse(result.outputs['drift-findings'] ?? '[]') as Finding[];
    return { result, findings, log: written };
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    return { failure: cause, findings: [], log: written };
  } finally {
    await owned.close();
  }
}

/** `code` of every finding, sorted, for the scenes that are about one of them. */
export function codes({ findings }: DriftRun): readonly string[] {
  return [...new Set(findings.map(({ code }) => code))].sort();
}
