import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { Failure } from '../../../src/outcome.ts';
import { promoteRelease } from '../../../src/promotion/promote.ts';
import { expectSettled } from './settled.ts';
import { inputFor, makeWorld, openLedger, openTools, release, type World } from './world.ts';

let box: Sandbox;
let server: GitServer;
let root: string;
beforeAll(async () => {
  box = await sandbox();
  root = mkdtempSync(join(tmpdir(), 'knowngood-many-'));
  server = await gitServer(root);
});
afterAll(async () => {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

let ledgers = 0;

/** A ledger on a server that refuses what is no fast-forward and no longer there, over smart HTTP. */
function served(): {
  readonly ledger: World['ledger'];
  readonly folder: string;
  readonly path: string;
} {
  const name = `ledger-${++ledgers}.git`;
  const folder = join(root, name);
  mkdirSync(folder);
  const git = (...args: string[]): void => {
    execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
  };
  git('init', '-q', '--bare', '-b', 'main', '.');
  git('config', 'receive.denyNonFastForwards', 'true');
  git('config', 'receive.denyDeletes', 'true');
  git('config', 'http.receivepack', 'true');
  return { ledger: { kind: 'git', address: `${server.url}/${name}` }, folder, path: `/${name}` };
}

const commitsOn = (folder: string): readonly string[] =>
  execFileSync('git', ['log', '--format=%s', 'knowngood'], { cwd: folder, encoding: 'utf8' })
    .trim()
    .split('\n');

async function ending(run: Promise<{ answer: string }>): Promise<string> {
  try {
    return (await run).answer;
  } catch (cause) {
    if (cause instanceof Failure) return cause.code;
    throw cause;
  }
}

/** Git's part is looked at once: it is the ledger that many promoters meet on. */
async function frozen(world: World, version: string) {
  const { releases } = openTools(world).lookups;
  const facts = await releases(inputFor(world, version).candidate, undefined);
  return { releases: async () => facts };
}

describe('fifty promoters on one git ledger over smart HTTP', { timeout: 600_000 }, () => {
  it('of fifty recipes: fifty records, none lost and none written twice', async () => {
    const { folder, ledger } = served();
    const worlds: World[] = [];
    for (let index = 1; index <= 50; index++) {
      const world = { ...(await makeWorld(box.registry.host, ledger)), recipe: `recipe-${index}` };
      await release(world, '1.0.0');
      worlds.push(world);
    }
    const begun = await Promise.all(worlds.map((world) => frozen(world, '1.0.0')));
    const ends = await Promise.all(
      worlds.map((world, index) =>
        ending(promoteRelease(inputFor(world, '1.0.0'), openTools(world, { lookups: begun[index]! }))),
      ),
    );
    expect(ends).toEqual(worlds.map(() => 'promoted'));
    for (const world of worlds) {
      const view = await openLedger(world).read(world.recipe);
      expect(view.record()).toMatchObject({ recipe: world.recipe, version: '1.0.0', sequence: 1 });
      expect([view.trail().length, view.intent()]).toEqual([1, undefined]);
    }
    // The beginning, and for each recipe its intent and its record: no push was ever repeated in vain.
    expect(commitsOn(folder)).toHaveLength(1 + 2 * 50);
  });

  it('of one release: exactly one promotion', async () => {
    const { folder, ledger } = served();
    const world = await makeWorld(box.registry.host, ledger);
    await release(world, '1.0.0');
    const lookups = await frozen(world, '1.0.0');
    const ends = await Promise.all(
      Array.from({ length: 50 }, () =>
        ending(promoteRelease(inputFor(world, '1.0.0'), openTools(world, { lookups }))),
      ),
    );
    expect(ends.filter((end) => end === 'promoted')).toHaveLength(1);
    // The others came too late, or in the middle of it.
    for (const end of ends)
      expect(['promoted', 'already-canonical', 'refused', 'ledger-busy']).toContain(end);
    expect(await expectSettled(world)).toMatchObject({ version: '1.0.0', sequence: 1 });
    expect(commitsOn(folder)).toHaveLength(3);
  });
});

describe('a connection that is cut after sending', { timeout: 300_000 }, () => {
  it('is told apart from a lost race, at every push of a promotion', async () => {
    for (let nth = 1; nth <= 2; nth++) {
      for (const times of [1, 9]) {
        const { folder, path, ledger } = served();
        const world = await makeWorld(box.registry.host, ledger);
        await release(world, '1.0.0');
        let pushes = 0;
        const { answer, gate } = await promoteRelease(
          inputFor(world, '1.0.0'),
          openTools(world, {
            lookups: await frozen(world, '1.0.0'),
            write: (name, act) => {
              server.clear();
              if (name.startsWith('push') && ++pushes === nth) {
                // git acts, and the answer is lost: once, so that the transport sends again; or for good.
                server.fault({
                  path: new RegExp(path),
                  service: 'git-receive-pack',
                  method: 'POST',
                  times,
                  how: 'cut-after',
                });
              }
              return act();
            },
          }),
        );
        server.clear();
        const where = `push ${nth}, cut ${times} times`;
        expect([answer, gate.failing], where).toEqual(['promoted', []]);
        expect(pushes, where).toBe(2);
        expect(await expectSettled(world), where).toMatchObject({ sequence: 1 });
        expect(commitsOn(folder), where).toHaveLength(3);
      }
    }
  });

  it('while another run was faster is a lost race, and is decided again', async () => {
    const { folder, path, ledger } = served();
    const world = await makeWorld(box.registry.host, ledger);
    await release(world, '1.0.0');
    const lookups = await frozen(world, '1.0.0');
    let other = '';
    let pushes = 0;
    const end = await ending(
      promoteRelease(
        inputFor(world, '1.0.0'),
        openTools(world, {
          lookups,
          write: async (name, act) => {
            if (name.startsWith('push') && ++pushes === 1) {
              other = await ending(promoteRelease(inputFor(world, '1.0.0'), openTools(world, { lookups })));
              server.fault({
                path: new RegExp(path),
                service: 'git-receive-pack',
                method: 'POST',
                times: 9,
                how: 'cut-after',
              });
            } else server.clear();
            return act();
          },
        }),
      ),
    );
    server.clear();
    expect([other, end]).toEqual(['promoted', 'already-canonical']);
    expect(commitsOn(folder)).toHaveLength(3);
  });
});
