import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { Waiting, WriteHook } from '../../../src/ledger/store.ts';
import { Failure } from '../../../src/outcome.ts';
import { promoteRelease } from '../../../src/promotion/promote.ts';
import { rollBack } from '../../../src/promotion/rollback.ts';
import { expectSettled } from './settled.ts';
import { turns } from './turns.ts';
import {
  backTo,
  inputFor,
  makeWorld,
  openLedger,
  openTools,
  realWaiting,
  release,
  type World,
} from './world.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

async function worldWith(kind: 'file' | 'git', ...versions: string[]): Promise<World> {
  const world = await makeWorld(box.registry.host, kind);
  await release(world, '1.0.0');
  await promoteRelease(inputFor(world, '1.0.0'), openTools(world));
  for (const version of versions) await release(world, version);
  return world;
}

/** How a run ends: its answer, or the code of its failure. */
async function ending(run: Promise<{ answer: string }>): Promise<string> {
  try {
    return (await run).answer;
  } catch (cause) {
    if (cause instanceof Failure) return cause.code;
    throw cause;
  }
}

/** What a run may say that another one got in the way of; anything else is a fault. */
const fair = [
  'promoted',
  'already-canonical',
  'refused',
  'concurrent-promotion',
  'ledger-busy',
  'dest-tag-conflict',
];

const minutes = (count: number): Waiting => ({ ...realWaiting, now: () => Date.now() + count * 60_000 });

/** The tags of one recipe may have been left by a run that was overtaken while all the others had ended. */
async function settle(world: World, version: string): Promise<void> {
  const waiting = minutes(30);
  await ending(promoteRelease(inputFor(world, version, {}, waiting.now()), openTools(world, { waiting })));
}

describe.each(['file', 'git'] as const)(
  'two promotions with a ledger in %s',
  { timeout: 600_000 },
  (kind) => {
    /**
     * The first run is stopped before one of its writes, for longer than its lease; the second does all of its work;
     * then the first goes on, with whatever it was about to write.
     */
    const stopped = async (at: number, first: string, second: string) => {
      const world = await worldWith(kind, first);
      let writes = 0;
      let other: string | undefined;
      const stop: WriteHook = async (_name, act) => {
        if (writes++ === at) {
          const waiting = minutes(11);
          // Tagged only now: before, it would have been the latest, and the first had not begun at all.
          if (second !== first) await release(world, second);
          other = await ending(
            promoteRelease(inputFor(world, second, {}, waiting.now()), openTools(world, { waiting })),
          );
        }
        return act();
      };
      const own = await ending(promoteRelease(inputFor(world, first), openTools(world, { write: stop })));
      return { world, own, other };
    };

    /** Stops at every write in turn, until there are no more, and looks each time. Answers how many there were. */
    const everywhere = async (
      first: string,
      second: string,
      look: (world: World, where: string) => Promise<void>,
    ): Promise<number> => {
      for (let at = 0; ; at++) {
        const { world, own, other } = await stopped(at, first, second);
        if (other === undefined) return at;
        const where = `stopped before write ${at}: ${own}, ${other}`;
        expect(fair, where).toContain(own);
        expect(fair, where).toContain(other);
        await look(world, where);
      }
    };

    it('of two releases: whoever was stopped, wherever, `latest` and the record agree', async () => {
      const writes = await everywhere('1.1.0', '1.2.0', async (world, where) => {
        const record = await expectSettled(world);
        expect(record?.version, where).toBe('1.2.0');
      });
      // Intent, four tags and the record at least, and what the ledger makes of them.
      expect(writes).toBeGreaterThanOrEqual(8);
    });

    it('of one release: it is promoted once', async () => {
      const writes = await everywhere('1.1.0', '1.1.0', async (world, where) => {
        expect(await expectSettled(world), where).toMatchObject({ version: '1.1.0', sequence: 2 });
      });
      expect(writes).toBeGreaterThanOrEqual(8);
    });

    it('write by write in any order: they agree at the end, and each is promoted at most once', async () => {
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(fc.nat(99)), fc.nat(60), async (stream, jump) => {
          const world = await worldWith(kind, '1.1.0');
          // The first run keeps seeing git as it was before the second release: so both gates pass.
          const early = await openTools(world).lookups.releases(inputFor(world, '1.1.0').candidate, '1.0.0');
          await release(world, '1.2.0');
          // At one moment a quarter of an hour passes at once: a lease ends in the middle.
          let shift = 0;
          const waiting: Waiting = { ...realWaiting, now: () => Date.now() + shift };
          const gate = turns(['a', 'b'], (names, step) => {
            if (step === jump) shift = 15 * 60_000;
            return names[stream.next().value! % names.length]!;
          });
          const run = async (name: string, version: string): Promise<string> => {
            const lookups = name === 'a' ? { releases: async () => early } : {};
            const tools = openTools(world, { waiting, write: gate.hook(name), lookups });
            try {
              return await ending(promoteRelease(inputFor(world, version), tools));
            } finally {
              gate.ended(name);
            }
          };
          const endings = await Promise.all([run('a', '1.1.0'), run('b', '1.2.0')]);
          for (const end of endings) expect(fair).toContain(end);
          await settle(world, '1.2.0');
          const record = await expectSettled(world);
          expect(record?.version).toBe('1.2.0');
          const trail = (await openLedger(world).read('app')).trail().map((line) => line.record.version);
          expect(new Set(trail).size).toBe(trail.length);
        }),
        { numRuns: kind === 'file' ? 25 : 10 },
      );
    });
  },
);

describe('a promotion and a rollback at once', { timeout: 600_000 }, () => {
  it('agree at the end, wherever the promotion was stopped', async () => {
    for (let at = 0, stopped = true; stopped; at++) {
      const world = await worldWith('git', '1.1.0');
      await promoteRelease(inputFor(world, '1.1.0'), openTools(world));
      await release(world, '1.2.0');
      let count = 0;
      let other: string | undefined;
      const stop: WriteHook = async (_name, act) => {
        if (count++ === at) {
          const waiting = minutes(11);
          const back = rollBack(backTo(world, '1.0.0'), openTools(world, { waiting }));
          other = await ending(back);
        }
        return act();
      };
      const own = await ending(promoteRelease(inputFor(world, '1.2.0'), openTools(world, { write: stop })));
      stopped = other !== undefined;
      if (stopped) expect(other, `stopped before write ${at}`).toBe('rolled-back');
      else expect(own).toBe('promoted');
      expect(fair, own).toContain(own);
      await expectSettled(world);
    }
  });
});
