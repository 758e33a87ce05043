import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/outcome.ts';
import { fleetSchema, readFleetFile } from '../../../src/settings/fleet-file.ts';
import { readRecipeFile, recipeSchema } from '../../../src/settings/recipe-file.ts';
import { testSection } from '../../../src/settings/test-section.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const bytes = (text: string) => new TextEncoder().encode(text);

/** The keys of the table below a heading. */
function rowsOf(heading: string): string[] {
  const part = page.slice(page.indexOf(`\n## ${heading}\n`) + 1).split('\n## ')[0] ?? '';
  return [...part.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, key = '']) => key),
  );
}

describe('docs/configuration.md', () => {
  it('has examples that are read', () => {
    const [editor = '', recipe = '', fleet = ''] = examples;
    expect(examples).toHaveLength(3);
    expect(readRecipeFile(bytes(editor), 'k').value).toMatchObject({ recipe: 'hedgedoc' });
    expect(Object.keys(readRecipeFile(bytes(recipe), 'k').value).sort()).toEqual(
      Object.keys(recipeSchema.entries).sort(),
    );
    expect(readFleetFile(bytes(fleet), 'f').value.recipes).toHaveLength(2);
  });

  it.each([
    ['knowngood.yml', Object.keys(recipeSchema.entries)],
    ['fleet.yml', Object.keys(fleetSchema.entries)],
  ])('has a row for every key of %s', (heading, keys) => {
    expect(rowsOf(heading).sort()).toEqual([...keys].sort());
  });

  it('has a row for every key of `test`', () => {
    const known = Object.keys(testSection.entries);
    const rows = rowsOf('test');
    expect(known.filter((key) => !rows.includes(key)).sort()).toEqual(['down', 'up']);
    expect(rows.filter((row) => !known.includes(row))).toEqual([]);
  });

  it('shows a message as it is', () => {
    const text = `${'#\n'.repeat(7)}known-broken:\n- untill: 2027-01-01\n  version: "1"\n`;
    const message = (() => {
      try {
        readRecipeFile(bytes(text), 'knowngood.yml');
      } catch (error) {
        return error instanceof Failure ? error.message : '';
      }
      return '';
    })();
    expect(page).toContain(message);
    expect(message).toContain('did you mean');
  });
});
