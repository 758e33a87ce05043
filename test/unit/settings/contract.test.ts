import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../../src/outcome.ts';
import { commonOutputs, stepOutputs } from '../../../src/settings/outputs.ts';
import {
  lines,
  type SettingName,
  type StepName,
  settingsTable,
  stepNames,
} from '../../../src/settings/schema.ts';

/** What pipelines of other people depend on: no name of it may go, and no default may change. */
const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

const common = words(`step context config recipe image version candidate pull-request arguments release-branch
  repository dossier ledger ledger-token registry-username registry-password registries insecure-registries forge
  forge-url forge-token docker-host dry-run verbose`);

const own: Record<StepName, { settings: string; outputs: string }> = {
  label: {
    settings: 'labels annotations source-url',
    outputs: 'version revision recipe-digest labels annotations from-name from-digest',
  },
  'build-push': {
    settings: `dockerfile target build-args platforms builder secrets ssh cache-from cache-to no-cache pull push publish
      tags allow-overwrite skip-unchanged`,
    outputs: 'digest image-id staged-tags image-ref source pushed platforms',
  },
  attest: { settings: 'signing signing-key', outputs: 'statement bundle attestation-digest' },
  verify: { settings: 'image-ref policy', outputs: 'verified verify-findings' },
  'step-back': {
    settings: 'upgrade-base known-broken tag-pattern max-major-step run-context',
    outputs: `decision upgrade-base-version upgrade-base-tag upgrade-base-commit upgrade-base-ref notes rejected
      without-pin`,
  },
  test: { settings: 'tiers timeout keep', outputs: 'verdict tiers logs' },
  promote: {
    settings: 'require min-age max-evidence-age require-platforms floating-tags ledger-init',
    outputs: 'promoted gate canonical-version canonical-digest sequence eligible-at published-tags',
  },
  rollback: {
    settings: 'to why hold-until',
    outputs: 'promoted gate canonical-version canonical-digest sequence eligible-at published-tags',
  },
  hold: { settings: 'why lift', outputs: 'held' },
  drift: {
    settings: 'checks pins fail-on report-to allowed-hosts fleet',
    outputs: 'drift-verdict drift-findings sarif',
  },
  testme: {
    settings: 'command allow-arguments allow-users mode drone-server drone-token context-name',
    outputs: 'accepted sha pull-request arguments trusted',
  },
  report: { settings: 'job-result context-name', outputs: 'comment-url' },
  sweep: {
    settings: 'fleet plan-only collect board concurrency time-budget disk-budget drone-server drone-token',
    outputs: 'results matrix board promoted red inconclusive gated skipped deferred errors',
  },
};

const defaults: Partial<Record<SettingName, string>> = {
  context: '.',
  config: 'knowngood.yml',
  dockerfile: 'Dockerfile',
  builder: 'auto',
  push: 'auto',
  publish: 'on-promote',
  'skip-unchanged': 'true',
  'run-context': 'auto',
  'floating-tags': 'on-promote',
  'hold-until': 'newer',
  'report-to': 'summary',
  command: '!testme',
  mode: 'here',
};

const choices: Partial<Record<SettingName, readonly string[]>> = {
  forge: ['github', 'gitea', 'forgejo'],
  builder: ['auto', 'engine', 'buildx'],
  push: ['auto', 'always', 'never'],
  publish: ['on-promote', 'on-push'],
  signing: ['key', 'none'],
  'run-context': ['auto', 'release', 'change'],
  'floating-tags': ['on-promote', 'never'],
  'hold-until': ['newer', 'manual'],
  mode: ['here', 'drone'],
};

interface Spec {
  readonly type: string;
  readonly steps?: readonly string[];
  readonly default?: string;
  readonly choices?: readonly string[];
}

const specs: Readonly<Record<string, Spec>> = settingsTable;

describe('the contract', () => {
  it.each(common)('every step has the setting %s', (name) => {
    expect(specs[name]).toBeDefined();
    expect(specs[name]?.steps).toBeUndefined();
  });

  it.each(stepNames)('%s has its settings and outputs', (step) => {
    for (const name of words(own[step].settings)) expect(specs[name]?.steps, name).toContain(step);
    expect(Object.keys(stepOutputs[step]).toSorted()).toEqual(words(own[step].outputs).toSorted());
  });

  it('has these defaults and choices, and these outputs of every step', () => {
    for (const [name, value] of Object.entries(defaults)) expect(specs[name]?.default, name).toBe(value);
    for (const [name, values] of Object.entries(choices)) expect(specs[name]?.choices, name).toEqual(values);
    expect(Object.keys(commonOutputs)).toEqual(['outcome', 'reason', 'reasons', 'dossier']);
  });

  it('has two lines and four exit codes', () => {
    expect(lines).toEqual({
      release: ['label', 'build-push', 'attest', 'step-back', 'test', 'promote'],
      change: ['label', 'build-push', 'step-back', 'test'],
    });
    expect(exitCodes).toEqual({ done: 0, skipped: 0, refused: 1, error: 2 });
  });
});
