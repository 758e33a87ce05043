import { expect } from 'vitest';
import type { CanonicalRecord } from '../../../src/ledger/record.ts';
import { openLedger, tagsOf, type World } from './world.ts';

/**
 * What must hold whenever no run is under way: the chain is whole, nothing is locked, every promoted version's tag
 * is on the digest that was promoted, and `latest` and the record say the same.
 */
export async function expectSettled(world: World): Promise<CanonicalRecord | undefined> {
  const view = await openLedger(world).read(world.recipe);
  expect(view.intent()).toBeUndefined();
  const record = view.record();
  const tags = await tagsOf(world);
  for (const [index, line] of view.trail().entries()) {
    const { version, subject, sequence } = line.record;
    expect(sequence).toBe(index + 1);
    if (subject.kind === 'image') expect(subject.digest).toBe(world.releases[version]?.digest);
    expect(tags[version.replace('+', '_')]).toBe(version);
  }
  if (record === undefined) return undefined;
  expect(tags.latest).toBe(record.version);
  expect(tags[record.version.split('.')[0]!]).toBe(record.version);
  return record;
}
