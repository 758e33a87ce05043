import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reasons } from '../../../src/reasons.ts';
import { conditions } from '../../../src/rules/gate/conditions.ts';
import { stepOutputs } from '../../../src/settings/outputs.ts';
import { settingsTable } from '../../../src/settings/schema.ts';

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8');
const promote = read('promote.md');
const ledger = read('ledger.md');

describe('docs/promote.md', () => {
  it('has a row for every condition, in the order of the gate, and no other', () => {
    const table = promote.slice(promote.indexOf('## The gate'), promote.indexOf('## What is published'));
    const rows = [...table.matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \|$/gm)].map(([, code]) => code);
    expect(rows).toEqual(conditions.map(({ code }) => code));
  });

  it('says which conditions pass with time', () => {
    const temporary = conditions
      .map(({ code }) => code)
      .filter((code) =>
        promote.split('\n').some((line) => line.startsWith(`| \`${code}\``) && line.includes('temporary')),
      );
    expect(temporary).toEqual(['evidence-stale', 'soaking', 'concurrent-promotion']);
  });

  it('names every output', () => {
    const outputs = promote.slice(promote.indexOf('## Outputs'));
    for (const name of Object.keys(stepOutputs.promote)) expect(outputs).toContain(`\`${name}\``);
  });
});

it.each([
  ['promote.md', promote],
  ['ledger.md', ledger],
])('%s names settings and codes that there are', (_name, text) => {
  const known = new Set([
    ...Object.keys(reasons),
    ...Object.keys(settingsTable),
    ...Object.keys(stepOutputs.promote),
    ...[
      'build-push',
      'step-back',
      'expected-na',
      'known-broken',
      'all-platforms',
      'actions/create-github-app-token',
    ],
  ]);
  const named = [
    ...text.matchAll(/`(?:error |skipped |done |refused )?([a-z]+(?:-[a-z]+)+)(?:: [a-z, -]+)?`/g),
  ];
  expect(named.length).toBeGreaterThan(5);
  expect(named.map(([, name]) => name!).filter((name) => !known.has(name))).toEqual([]);
});

it('the rulesets of docs/ledger.md are JSON', () => {
  const [, text = ''] = /<<'JSON'\n([\s\S]*?)\nJSON/.exec(ledger) ?? [];
  expect(JSON.parse(text)).toMatchObject({
    target: 'branch',
    rules: [{ type: 'deletion' }, { type: 'non_fast_forward' }],
  });
  const [, body = ''] = /-d '(\{[\s\S]*?\})'/.exec(ledger) ?? [];
  expect(JSON.parse(body)).toMatchObject({ rule_name: 'knowngood', enable_push_whitelist: true });
});
