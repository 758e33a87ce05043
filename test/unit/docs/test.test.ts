import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { reasons } from '../../../src/reasons.ts';
import { testPlan } from '../../../src/rules/test-plan.ts';
import { readRecipeFile } from '../../../src/settings/recipe-file.ts';
import { settingsTable } from '../../../src/settings/schema.ts';
import { allowances } from '../../../src/settings/test-section.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/test.md'), 'utf8');

/** The YAML block that follows a marker. */
function example(name: string): string {
  const after = page.slice(page.indexOf(`<!-- example: ${name} -->`));
  return /```yaml\n([\s\S]*?)```/.exec(after)![1]!;
}

describe('the recipes of docs/test.md', () => {
  it.each([
    ['image', { kind: 'image', ports: [{ container: 8000 }] }, ['install', 'upgrade', 'kept']],
    ['compose', { kind: 'compose', files: ['compose.yml'] }, ['install', 'upgrade']],
    ['swarm', { kind: 'swarm', files: ['compose.yml'] }, ['upgrade']],
    ['commands', { kind: 'commands', up: './scripts/up' }, ['install', 'upgrade']],
  ])('%s is read, and means what it says', (name, deploy, tiers) => {
    const { value } = readRecipeFile(new TextEncoder().encode(example(`recipe/${name}`)), 'knowngood.yml');
    const plan = testPlan({
      recipe: name,
      config: value.test,
      ownImage: value.image !== undefined,
      composeFiles: value.test?.['compose-file'] ?? [],
      tiers: undefined,
      timeoutMs: { given: undefined, otherwise: 60_000 },
      na: {},
      envFile: {},
      trusted: true,
      keep: false,
    });
    expect(plan.deploy).toMatchObject(deploy);
    expect(plan.tiers.map((tier) => tier.name)).toEqual(tiers);
    expect(plan.ready).toBeDefined();
    expect(plan.check.length).toBeGreaterThan(0);
  });
});

describe('docs/test.md', () => {
  it('has a row for every exception that there is', () => {
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| /gm)].map(([, name]) => name);
    for (const name of allowances.filter((one) => one !== 'credentials')) expect(rows).toContain(name);
  });

  it('names reasons that there are', () => {
    const verdicts = page.slice(page.indexOf('| verdict |'), page.indexOf('**A base that'));
    const named = [...verdicts.matchAll(/`([a-z]+-[a-z-]+)`/g)].map(([, code = '']) => code);
    for (const code of named.filter((one) => one !== 'expected-na'))
      expect(Object.keys(reasons)).toContain(code);
    expect(named.length).toBeGreaterThan(8);
  });

  it('has pipelines that begin with no permissions, and settings that there are', () => {
    const github = parse(example('github/test')) as {
      permissions: object;
      jobs: { test: { steps: { uses: string; with: Record<string, string> }[] } };
    };
    expect(github.permissions).toEqual({});
    const drone = parse(example('drone/test')) as { steps: { settings: Record<string, string> }[] };
    const ours = github.jobs.test.steps.filter(({ uses }) => uses.startsWith('knowngood/'));
    const given = [...ours.map((step) => step.with), ...drone.steps.map(({ settings }) => settings)];
    expect(given).toEqual([{ step: 'change' }, { step: 'change' }]);
    expect(Object.keys(settingsTable)).toContain('step');
  });
});
