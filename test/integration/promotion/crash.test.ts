import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { promoteRelease } from '../../../src/promotion/promote.ts';
import { expectSettled } from './settled.ts';
import { inputFor, makeWorld, openTools, realWaiting, release, type World } from './world.ts';

let box: Sandbox;
let folder: string;
beforeAll(async () => {
  box = await sandbox();
  folder = mkdtempSync(join(tmpdir(), 'knowngood-crash-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'promote-child.ts')],
    outfile: join(folder, 'child.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Died {
  readonly signal: string | null;
  readonly output: string;
}

/** Promotes, or goes back, in a process that is killed before its n-th write. */
function die(
  world: World,
  version: string,
  at: number,
  what: 'promote' | 'rollback' = 'promote',
): Promise<Died> {
  return new Promise((resolve) => {
    const argv = [join(folder, 'child.mjs'), JSON.stringify(world), version, String(at), what];
    execFile(process.execPath, argv, (error, stdout, stderr) =>
      resolve({ signal: error?.signal ?? null, output: stdout + stderr }),
    );
  });
}

async function worldWithCanonical(kind: 'file' | 'git'): Promise<World> {
  const world = await makeWorld(box.registry.host, kind);
  await release(world, '1.0.0');
  const { answer } = await promoteRelease(inputFor(world, '1.0.0'), openTools(world));
  expect(answer).toBe('promoted');
  await release(world, '1.1.0');
  return world;
}

/** A run that comes when the lease of the one that was killed is over. */
const later = { ...realWaiting, now: () => Date.now() + 11 * 60_000 };
const runLater = (world: World, version: string) =>
  promoteRelease(inputFor(world, version, {}, later.now()), openTools(world, { waiting: later }));

describe.each(['file', 'git'] as const)(
  'a promotion with a ledger in %s that is killed',
  { timeout: 900_000 },
  (kind) => {
    /** Every write of the protocol and of the ledger below it, as a whole promotion makes them. */
    const writesOf = async (): Promise<readonly string[]> => {
      const { output } = await die(await worldWithCanonical(kind), '1.1.0', -1);
      return (JSON.parse(output) as { names: string[] }).names;
    };

    /** Kills before each write in turn, and after the last, and looks what the next run makes of it. */
    const everywhere = async (then: (world: World, where: string) => Promise<void>): Promise<void> => {
      const names = await writesOf();
      expect(names).toEqual(
        expect.arrayContaining([
          'take intent',
          'put 1.1.0',
          'put 1.1',
          'put 1',
          'put latest',
          'commit record',
        ]),
      );
      const dieAndLook = async (at: number): Promise<void> => {
        const world = await worldWithCanonical(kind);
        const { signal, output } = await die(world, '1.1.0', at);
        const where = `killed before ${names[at] ?? 'its end'} (${at})`;
        expect(signal, `${where}: ${output}`).toBe('SIGKILL');
        await then(world, where);
        rmSync(world.scratch, { recursive: true, force: true });
      };
      // Most of it is waiting for child processes and for the registry.
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next <= names.length) await dieAndLook(next++);
      };
      await Promise.all([worker(), worker(), worker()]);
    };

    it('is finished, or done again, by the next run of the same release', () =>
      everywhere(async (world, where) => {
        const { answer } = await runLater(world, '1.1.0');
        expect(['promoted', 'already-canonical'], where).toContain(answer);
        const record = await expectSettled(world);
        expect(record, where).toMatchObject({ version: '1.1.0', sequence: 2 });
        expect((await runLater(world, '1.1.0')).answer, where).toBe('already-canonical');
      }));

    it('does not stand in the way of a newer release', () =>
      everywhere(async (world, where) => {
        await release(world, '1.2.0');
        const { answer } = await runLater(world, '1.2.0');
        expect(answer, where).toBe('promoted');
        const record = await expectSettled(world);
        expect(record, where).toMatchObject({ version: '1.2.0' });
      }));

    it('is put in order even by a run of an older release, which itself is refused', () =>
      everywhere(async (world, where) => {
        const { answer, gate } = await runLater(world, '1.0.0');
        const record = await expectSettled(world);
        expect(['1.0.0', '1.1.0'], where).toContain(record?.version);
        if (record?.version === '1.1.0') {
          expect(answer, where).toBe('refused');
          expect(gate.failing, where).toEqual(expect.arrayContaining(['not-latest', 'would-demote']));
        }
      }));
  },
);

describe.each(['file', 'git'] as const)(
  'a rollback with a ledger in %s that is killed',
  { timeout: 900_000 },
  (kind) => {
    const begun = async (): Promise<World> => {
      const world = await worldWithCanonical(kind);
      await promoteRelease(inputFor(world, '1.1.0'), openTools(world));
      return world;
    };

    it('is finished or undone by the next run, whichever release that is of', async () => {
      const world = await begun();
      const { names } = JSON.parse((await die(world, '1.0.0', -1, 'rollback')).output) as { names: string[] };
      expect(names).toEqual(expect.arrayContaining(['take intent', 'put latest', 'commit record']));
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next <= names.length) {
          const at = next++;
          const where = `killed before ${names[at] ?? 'its end'} (${at})`;
          const there = await begun();
          expect((await die(there, '1.0.0', at, 'rollback')).signal, where).toBe('SIGKILL');
          await release(there, '1.2.0');
          // A run of the bad version finds what it left, and never makes it canonical again by that.
          const bad = await runLater(there, '1.1.0');
          expect(['refused', 'already-canonical'], where).toContain(bad.answer);
          expect(['1.0.0', '1.1.0'], where).toContain((await expectSettled(there))?.version);
          const { answer } = await runLater(there, '1.2.0');
          expect(answer, where).toBe('promoted');
          expect(await expectSettled(there), where).toMatchObject({ version: '1.2.0', hold: null });
          rmSync(there.scratch, { recursive: true, force: true });
        }
      };
      await Promise.all([worker(), worker(), worker()]);
    });
  },
);
