import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { examples, ownWorkflows } from './documents.ts';

/** What no host runs here, and why. */
const notRun: Readonly<Record<string, string>> = {
  '.github/workflows/ci.yml': 'it runs these tests',
  '.github/workflows/testme.yml': 'it is docs/testme.md#1, with the action of the checkout',
};

const tests = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.test.ts') && name !== 'documented.test.ts')
  .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));

const pipelines = [...examples().filter(({ kind }) => kind !== 'other'), ...ownWorkflows()].map(
  ({ id }) => id,
);

it.each(pipelines)('%s is run by a host, or it is said why not', (id) => {
  const run = tests.some((text) => text.includes(`'${id}'`));
  expect(run || id in notRun, `no test in test/hosts runs ${id}`).toBe(true);
});

it('nothing is excused that is no example any more', () => {
  for (const id of Object.keys(notRun)) expect(pipelines).toContain(id);
});
