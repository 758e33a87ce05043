import { beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { promoteRelease } from '../../../src/promotion/promote.ts';
import { tagByHand } from './by-hand.ts';
import { inputFor, makeWorld, openLedger, openTools, release, tagsOf, type World } from './world.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

/** 1.0.0 is promoted, 1.1.0 is about to be, and somebody has pushed other content. */
async function aboutToPromote(): Promise<World> {
  const world = await makeWorld(box.registry.host, 'file');
  await release(world, '1.0.0');
  expect((await promoteRelease(inputFor(world, '1.0.0'), openTools(world))).answer).toBe('promoted');
  await release(world, '9.9.9-other');
  const other = world.releases['9.9.9-other']!;
  delete world.releases['9.9.9-other'];
  await release(world, '1.1.0');
  world.releases['9.9.9-other'] = other;
  return world;
}

/** Promotes 1.1.0, while somebody puts `tag` on other content after the write of this name. */
function promoteWhile(world: World, tag: string, after: string) {
  const write = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const result = await act();
    if (name === after) await tagByHand(world, tag, '9.9.9-other');
    return result;
  };
  return promoteRelease(inputFor(world, '1.1.0'), openTools(world, { write }));
}

describe('a tag that somebody moves while a promotion is under way', () => {
  it.each([
    ['the version', '1.1.0', 'take intent', { '1.1.0': '9.9.9-other', latest: '1.0.0', '1': '1.0.0' }],
    ['`latest`', 'latest', 'take intent', { '1.1.0': undefined, latest: '9.9.9-other', '1': '1.0.0' }],
    [
      'the version, just put,',
      '1.1.0',
      'put 1.1.0',
      { '1.1.0': '9.9.9-other', latest: '1.0.0', '1': '1.0.0' },
    ],
    [
      '`latest`, just put,',
      'latest',
      'put latest',
      { '1.1.0': '1.1.0', latest: '9.9.9-other', '1': '1.0.0' },
    ],
  ])('%s is refused, and what was moved goes back', async (_what, tag, after, tags) => {
    const world = await aboutToPromote();
    await expect(promoteWhile(world, tag, after)).rejects.toMatchObject({
      code: 'dest-tag-conflict',
      outcome: 'refused',
    });
    const there = await tagsOf(world);
    expect(Object.fromEntries(Object.keys(tags).map((name) => [name, there[name]]))).toEqual(tags);
    const view = await openLedger(world).read(world.recipe);
    expect(view.record()?.version).toBe('1.0.0');
    expect(view.intent()).toBeUndefined();
  });
});
