import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { promoteRelease } from '../../../src/promotion/promote.ts';
import { inputFor, makeWorld, openLedger, openTools, release, tagsOf } from './world.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

describe.each(['file', 'git'] as const)('a promotion with a ledger in %s', (kind) => {
  it('publishes the tested digest, writes the record, and then has nothing to do', async () => {
    const world = await makeWorld(box.registry.host, kind);
    await release(world, '1.0.0');
    const first = await promoteRelease(inputFor(world, '1.0.0'), openTools(world));
    expect(first.gate.failing).toEqual([]);
    expect(first.answer).toBe('promoted');
    expect(first.canonical).toMatchObject({ version: '1.0.0', sequence: 1, previous: null });
    await release(world, '1.1.0+v2.0.0');
    const second = await promoteRelease(inputFor(world, '1.1.0+v2.0.0'), openTools(world));
    expect(second.answer).toBe('promoted');
    expect(await tagsOf(world)).toEqual({
      '1.0.0': '1.0.0',
      '1.0': '1.0.0',
      '1.1.0_v2.0.0': '1.1.0+v2.0.0',
      '1.1': '1.1.0+v2.0.0',
      '1': '1.1.0+v2.0.0',
      latest: '1.1.0+v2.0.0',
    });
    const view = await openLedger(world).read('app');
    expect(view.record()).toMatchObject({ sequence: 2, previous: { version: '1.0.0', sequence: 1 } });
    expect(view.intent()).toBeUndefined();
    const again = await promoteRelease(inputFor(world, '1.1.0+v2.0.0'), openTools(world));
    expect(again.answer).toBe('already-canonical');
    expect((await openLedger(world).read('app')).revision).toBe(view.revision);
    if (world.ledger.kind === 'file') {
      expect(readFileSync(join(world.ledger.folder, 'app/canonical.json'), 'utf8')).toContain(
        '"sequence": 2',
      );
    }
  });
});
