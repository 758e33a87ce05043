import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { reasons } from '../../../src/reasons.ts';
import { stepOutputs } from '../../../src/settings/outputs.ts';
import { readRecipeFile } from '../../../src/settings/recipe-file.ts';
import { settingsTable } from '../../../src/settings/schema.ts';

const text = readFileSync(join(import.meta.dirname, '../../../docs/step-back.md'), 'utf8');
const yaml = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => block!);

describe('docs/step-back.md', () => {
  it('shows a knowngood.yml that is valid', () => {
    const file = readRecipeFile(new TextEncoder().encode(yaml[0]), 'knowngood.yml');
    expect(file.value['known-broken']).toHaveLength(1);
  });

  it('names reasons, settings and outputs that there are', () => {
    const known = new Set([
      ...Object.keys(reasons),
      ...Object.keys(settingsTable),
      ...Object.keys(stepOutputs['step-back']),
      'expected-na',
    ]);
    const named = [...text.matchAll(/`((?:tag|base|pin|known|max|expected|without|upgrade)-[a-z-]+)`/g)];
    expect(named.length).toBeGreaterThan(12);
    expect(named.map(([, name]) => name!).filter((name) => !known.has(name))).toEqual([]);
    const variables = [...text.matchAll(/\$KNOWNGOOD_([A-Z_]+)/g)];
    for (const [, name] of variables)
      expect(Object.keys(stepOutputs['step-back'])).toContain(name!.toLowerCase().replaceAll('_', '-'));
  });

  it('shows a workflow without permissions but those it needs, and outputs that the step has', () => {
    const workflow = parse(yaml[1]!);
    expect(workflow.permissions).toEqual({});
    expect(workflow.jobs.upgrade.permissions).toEqual({ contents: 'read' });
    for (const [, name] of yaml[1]!.matchAll(/steps\.base\.outputs\.([a-z-]+)/g))
      expect(Object.keys(stepOutputs['step-back'])).toContain(name);
  });
});
