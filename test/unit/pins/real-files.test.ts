import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatReference } from '../../../src/oci/reference.ts';
import type { Pin, Unreadable } from '../../../src/pins/pin.ts';
import { readPins } from '../../../src/pins/read-tree.ts';

const folder = fileURLToPath(new URL('../../fixtures/pins/real', import.meta.url));

function shown(pin: Pin): string {
  const { file, line, column } = pin.at;
  const used = pin.usedAt === undefined ? '' : ` for ${pin.usedAt.file}:${pin.usedAt.line}`;
  const built = pin.built ? ' (built)' : '';
  return `${file}:${line}:${column} ${pin.kind} ${formatReference(pin.reference)} «${pin.written}»${used}${built}`;
}

function told({ at, why }: Unreadable): string {
  return `${at.file}:${at.line}:${at.column} unreadable: ${why}`;
}

/** What each project says, place by place; checked by hand against its files. */
const expected = readFileSync(join(folder, '../real.txt'), 'utf8').split(/^# /m).slice(1);

describe('files as people write them', () => {
  it('are at least thirty', () => {
    expect(readdirSync(folder).length).toBeGreaterThanOrEqual(30);
    expect(expected.map((part) => part.split('\n', 1)[0])).toEqual(readdirSync(folder).sort());
  });

  it.each(readdirSync(folder).sort())('%s', async (project) => {
    const { pins, unreadable } = await readPins({ folder: join(folder, project), patterns: ['**'] });
    const [, ...lines] = expected
      .find((part) => part.startsWith(`${project}\n`))!
      .trimEnd()
      .split('\n');
    const found = [...pins.map(shown), ...unreadable.map(told)];
    expect(found).toEqual(lines);
  });
});
