import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileStore } from '../../../src/ledger/file.ts';
import type { RecipeFiles } from '../../../src/ledger/recipe-files.ts';
import type { Store, Waiting, WriteHook } from '../../../src/ledger/store.ts';
import { Failure } from '../../../src/outcome.ts';

let root: string;
let time: number;
const waiting: Waiting = {
  now: () => time,
  sleep: async (ms) => {
    time += ms;
  },
  random: () => 0.5,
};
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'knowngood-file-'));
  time = Date.now();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const open = (write?: WriteHook): Store =>
  fileStore({ folder: join(root, 'ledger'), waiting, ...(write === undefined ? {} : { write }) });
const three = { 'canonical.json': 'record\n', 'promotions.ndjson': 'line\n', 'intent.json': null } as const;
const before: RecipeFiles = {
  'canonical.json': 'old\n',
  'promotions.ndjson': 'old line\n',
  'intent.json': 'lock\n',
};
const after: RecipeFiles = { 'canonical.json': 'record\n', 'promotions.ndjson': 'line\n' };

async function withState(): Promise<void> {
  const store = open();
  await store.create();
  await store.change('app', 'begin', () => before);
}

class Killed extends Error {}

/** Runs the change and "kills" it before or after its n-th write; answers how many writes there were. */
async function killAt(at: number, side: 'before' | 'after'): Promise<number> {
  let count = 0;
  let dead = false;
  const hook: WriteHook = async (_name, act) => {
    // A killed process writes nothing more, whatever its clean-up would.
    if (dead) throw new Killed();
    const mine = count++;
    if (mine === at && side === 'before') {
      dead = true;
      throw new Killed();
    }
    const result = await act();
    if (mine === at) {
      dead = true;
      throw new Killed();
    }
    return result;
  };
  await open(hook)
    .change('app', 'commit', () => three)
    .catch(() => undefined);
  return count;
}

describe('a change of several files in a folder', () => {
  it('is there wholly or not at all, wherever it is cut off, and is finished by whoever comes next', async () => {
    await withState();
    const writes = await killAt(Number.POSITIVE_INFINITY, 'before');
    expect(writes).toBeGreaterThan(6);
    const seen = new Set<string>();
    for (let at = 0; at < writes; at++) {
      for (const side of ['before', 'after'] as const) {
        rmSync(join(root, 'ledger'), { recursive: true });
        await withState();
        await killAt(at, side);
        const files = await open().read('app');
        const state = JSON.stringify(files) === JSON.stringify(after) ? 'after' : 'before';
        expect(files).toEqual(state === 'after' ? after : before);
        seen.add(state);
        // The lock that was left is waited for, and then broken.
        await open().change('app', 'run', (now) => ({ 'runs.ndjson': `${JSON.stringify(now)}\n` }));
        const { 'runs.ndjson': saw, ...rest } = await open().read('app');
        expect(rest).toEqual(state === 'after' ? after : before);
        expect(JSON.parse(saw!)).toEqual(state === 'after' ? after : before);
        const left = readdirSync(join(root, 'ledger/app')).filter((name) => name.startsWith('.'));
        expect(left).toEqual([]);
      }
    }
    expect([...seen].sort()).toEqual(['after', 'before']);
  });

  it('does not write what a lock breaker has overtaken', async () => {
    await withState();
    const hook: WriteHook = async (name, act) => {
      const result = await act();
      if (name === 'write .change.json') {
        // Meanwhile our lease ends and another run does something else.
        time += 60_000;
        await open().change('app', 'other', () => ({ 'runs.ndjson': 'theirs\n' }));
      }
      return result;
    };
    await expect(open(hook).change('app', 'commit', () => three)).rejects.toMatchObject({
      code: 'ledger-busy',
    });
    expect(await open().read('app')).toEqual({ ...before, 'runs.ndjson': 'theirs\n' });
  });

  it('asks for the change again on what is there when the lock is ours', async () => {
    await withState();
    const asked: RecipeFiles[] = [];
    const hook: WriteHook = async (name, act) => {
      if (name === 'lock' && asked.length === 1) {
        await open().change('app', 'faster', () => ({ 'runs.ndjson': 'faster\n' }));
      }
      return act();
    };
    await open(hook).change('app', 'slow', (files) => {
      asked.push(files);
      return { 'drift.json': '{}\n' };
    });
    expect(asked).toEqual([before, { ...before, 'runs.ndjson': 'faster\n' }]);
  });
});

describe('the lock of a folder', () => {
  const lock = (text: string): void => {
    mkdirSync(join(root, 'ledger/app'), { recursive: true });
    writeFileSync(join(root, 'ledger/app/.lock'), text);
  };
  const write = (): Promise<boolean> => open().change('app', 'x', () => ({ 'runs.ndjson': 'x\n' }));

  it('is waited for while its lease runs, and broken when it is over', async () => {
    const start = time;
    lock(`someone ${time + 15_000}\n`);
    expect(await write()).toBe(true);
    expect(time - start).toBeGreaterThanOrEqual(15_000);
    expect(time - start).toBeLessThan(20_000);
  });

  it('is broken after its lease where its owner died before writing it', async () => {
    lock('');
    expect(await write()).toBe(true);
  });

  it('is given up on after two minutes', async () => {
    lock(`someone ${time + 1_000_000}\n`);
    await expect(write()).rejects.toMatchObject({ code: 'ledger-busy' });
    expect(readFileSync(join(root, 'ledger/app/.lock'), 'utf8')).toMatch(/^someone/);
  });
});

describe('where a folder ledger may be', () => {
  const durable = (folder: string, ephemeral: string): Promise<unknown> =>
    fileStore({ folder, ephemeral, waiting }).exists();

  it('is nowhere in the workspace of a CI host, over whatever path', async () => {
    const workspace = join(root, 'work');
    mkdirSync(workspace);
    symlinkSync(workspace, join(root, 'alias'));
    for (const folder of [join(workspace, 'ledger'), workspace, join(root, 'alias/deep/ledger')]) {
      await expect(durable(folder, workspace)).rejects.toMatchObject({ code: 'ledger-not-durable' });
      await expect(fileStore({ folder, ephemeral: workspace, waiting }).create()).rejects.toBeInstanceOf(
        Failure,
      );
    }
    expect(await durable(join(root, 'work-of-others'), workspace)).toBe(false);
    expect(await durable(join(root, '..deep', 'x'), workspace)).toBe(false);
  });

  it('is no link, and no file', async () => {
    mkdirSync(join(root, 'real'));
    symlinkSync(join(root, 'real'), join(root, 'ledger'));
    await expect(open().exists()).rejects.toMatchObject({ code: 'path-outside' });
    rmSync(join(root, 'ledger'));
    writeFileSync(join(root, 'ledger'), '');
    await expect(open().read('app')).rejects.toMatchObject({ code: 'path-outside' });
  });
});
