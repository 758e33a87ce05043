import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stepNames } from '../../../src/settings/schema.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Every Markdown file that people read, from the top of the project. */
const documents = [
  '.',
  'docs',
  'docs/build-type',
  'docs/predicate',
  'drone-plugin',
  'sandbox',
  'demo',
  'bench',
]
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );

describe.each(documents)('%s', (document) => {
  const text = readFileSync(join(root, document), 'utf8');

  it('links to what is there', () => {
    const targets = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(([, target]) => target!);
    const missing = targets.filter((target) => !existsSync(join(root, dirname(document), target)));
    expect(missing).toEqual([]);
  });

  it('gives every example that is a GitHub workflow no permission but those it names', () => {
    const workflows = [...text.matchAll(/```ya?ml\n([\s\S]*?)```/g)]
      .map(([, block]) => block!)
      .filter((block) => /^on:/m.test(block) && /^jobs:/m.test(block));
    for (const workflow of workflows) expect(workflow).toMatch(/^permissions: \{\}$/m);
  });
});

it('the README names every step', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  expect(stepNames.filter((step) => !readme.includes(`\`${step}\``))).toEqual([]);
});
