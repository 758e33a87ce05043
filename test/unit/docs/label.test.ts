import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { settingsTable } from '../../../src/settings/schema.ts';
import { labels } from '../provenance/scene.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/label.md'), 'utf8');

it('docs/label.md names every label that there is, and no other', () => {
  const cells = [...page.matchAll(/^\| (`[^|]+) \|/gm)].map((match) => match[1]!);
  const named = cells.flatMap((cell) => {
    const [first, ...others] = [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
    const stem = first!.slice(0, first!.lastIndexOf('.'));
    return [first!, ...others.map((name) => (name.startsWith('.') ? stem + name : name))];
  });
  expect(named.sort()).toEqual(Object.keys(labels).sort());
});

it('docs/label.md names settings that exist', () => {
  for (const name of ['labels', 'annotations', 'source-url']) {
    expect(page).toContain(`\`${name}\``);
    expect(Object.keys(settingsTable)).toContain(name);
  }
});
