import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { Failure } from '../../../src/outcome.ts';
import { changeHold } from '../../../src/promotion/hold.ts';
import { promoteRelease } from '../../../src/promotion/promote.ts';
import { rollBack } from '../../../src/promotion/rollback.ts';
import type { Evidence } from '../../../src/rules/gate/snapshot.ts';
import { changeByHand, everything, type LedgerFiles, tagByHand } from './by-hand.ts';
import { backTo, inputFor, makeWorld, openLedger, openTools, release, tagsOf, type World } from './world.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

const canonical = 'app/canonical.json';
const trail = 'app/promotions.ndjson';
const lines = (files: LedgerFiles): string[] => files.read(trail).trimEnd().split('\n');
const put = (files: LedgerFiles, all: readonly string[]): void =>
  files.write(trail, all.map((line) => `${line}\n`).join(''));

const onLedger: readonly [string, string, (files: LedgerFiles) => void][] = [
  [
    'a rewritten record',
    'record-untrusted',
    (files) => files.write(canonical, files.read(canonical).replaceAll('1.0.1', '0.9.0')),
  ],
  [
    'a rewritten line of the trail',
    'record-untrusted',
    (files) => put(files, [lines(files)[0]!.replace('somebody', 'nobody'), lines(files)[1]!]),
  ],
  ['a truncated trail', 'record-untrusted', (files) => put(files, lines(files).slice(0, 1))],
  ['a trail cut in a line', 'record-corrupt', (files) => files.write(trail, files.read(trail).slice(0, -99))],
  ['a reordered trail', 'record-untrusted', (files) => put(files, lines(files).reverse())],
  ['a removed trail', 'record-untrusted', (files) => files.remove(trail)],
  ['a removed record', 'record-untrusted', (files) => files.remove(canonical)],
  ['a link in place of the record', 'path-outside', (files) => files.link(canonical, 'promotions.ndjson')],
  ['a link in place of the recipe', 'path-outside', (files) => files.link('app', 'elsewhere')],
  [
    'an intent that expires in 9999',
    'intent-invalid',
    (files) =>
      files.write(
        'app/intent.json',
        JSON.stringify({
          nonce: 'for-ever-and-ever',
          version: '1.1.0',
          digest: `sha256:${'0'.repeat(64)}`,
          sequence: 3,
          tags: [],
          run: 'nobody',
          expires: '9999-12-31T23:59:59Z',
        }),
      ),
  ],
  [
    'an intent that was written a thousand years ago and names foreign tags',
    'promoted',
    (files) =>
      files.write(
        'app/intent.json',
        JSON.stringify({
          nonce: 'left-behind',
          version: '0.0.1',
          digest: `sha256:${'0'.repeat(64)}`,
          sequence: 3,
          tags: [{ tag: 'latest', from: `sha256:${'1'.repeat(64)}`, to: `sha256:${'0'.repeat(64)}` }],
          run: 'nobody',
          expires: '1026-01-01T00:00:00Z',
        }),
      ),
  ],
];

async function attackedWorld(kind: 'file' | 'git'): Promise<World> {
  const world = await makeWorld(box.registry.host, kind);
  for (const version of ['1.0.0', '1.0.1']) {
    await release(world, version);
    await promoteRelease(inputFor(world, version), openTools(world));
  }
  await release(world, '1.1.0');
  return world;
}

async function endOf(run: () => Promise<{ answer: string }>): Promise<string> {
  try {
    return (await run()).answer;
  } catch (cause) {
    if (cause instanceof Failure) return cause.code;
    throw cause;
  }
}

describe.each(['file', 'git'] as const)('attacks on a ledger in %s', (kind) => {
  it.each(onLedger)('%s: %s', async (_what, code, attack) => {
    const world = await attackedWorld(kind);
    changeByHand(world, attack);
    const before = await everything(world);
    expect(await endOf(() => promoteRelease(inputFor(world, '1.1.0'), openTools(world)))).toBe(code);
    if (code === 'promoted') {
      expect((await tagsOf(world)).latest).toBe('1.1.0');
      return;
    }
    const tools = openTools(world);
    expect(await endOf(() => rollBack(backTo(world, '1.0.0'), tools))).toBe(code);
    const hold = { recipe: 'app', version: '1.1.0', why: 'x', lift: false, by: 'me', dryRun: false };
    expect(await endOf(() => changeHold(hold, tools))).toBe(code);
    expect(await everything(world)).toEqual(before);
  });
});

describe('attacks on tags', () => {
  it('a version tag that was put by hand on other content is a conflict, and nothing moves', async () => {
    const world = await attackedWorld('file');
    await tagByHand(world, '1.1.0', '1.0.0');
    const before = await everything(world);
    const { answer, gate } = await promoteRelease(inputFor(world, '1.1.0'), openTools(world));
    expect([answer, gate.failing]).toEqual(['refused', ['dest-tag-conflict']]);
    expect(await everything(world)).toEqual(before);
  });

  it('a version tag that was put by hand on the candidate proves nothing: the gate decides', async () => {
    const world = await attackedWorld('file');
    await tagByHand(world, '1.1.0', '1.1.0');
    await tagByHand(world, 'latest', '1.1.0');
    const before = await everything(world);
    const red = inputFor(world, '1.1.0');
    const { answer, canonical: record } = await promoteRelease(
      { ...red, evidence: { ...red.evidence!, verdict: 'red' } },
      openTools(world),
    );
    expect([answer, record?.version]).toEqual(['refused', '1.0.1']);
    expect(await everything(world)).toEqual(before);
    // The green one is promoted by its own evidence, with a record of its own.
    expect((await promoteRelease(inputFor(world, '1.1.0'), openTools(world))).answer).toBe('promoted');
  });

  it('floating tags on a stranger are told of, and put where the ledger says', async () => {
    const world = await attackedWorld('file');
    const stranger = await release(world, '9.9.9-evil');
    await tagByHand(world, 'latest', '9.9.9-evil');
    const { answer, floating } = await promoteRelease(inputFor(world, '1.1.0'), openTools(world));
    expect(answer).toBe('promoted');
    expect(floating[0]?.foreign).toEqual([{ tag: 'latest', digest: stranger.digest }]);
    expect((await tagsOf(world)).latest).toBe('1.1.0');
  });

  it('a git tag that moved is not promoted under its old name', async () => {
    const world = await attackedWorld('file');
    const { commit } = world.releases['1.1.0']!;
    const ledger = openLedger(world);
    const input = inputFor(world, '1.1.0');
    await ledger.appendRun({
      recipe: 'app',
      version: '1.1.0',
      commit,
      subject: { kind: 'image', image: world.image, digest: world.releases['1.1.0']!.digest },
      verdict: 'red',
      reasons: ['check-failed'],
      tiers: { install: 'fail' },
      base: '1.0.1',
      run: 'run-before',
      startedAt: input.evidence!.startedAt,
      finishedAt: input.evidence!.startedAt,
    });
    execFileSync('git', ['tag', '-d', '1.1.0'], { cwd: world.repository, stdio: 'ignore' });
    const moved = await release(world, '1.1.0', { content: 'something else' });
    expect(moved.commit).not.toBe(commit);
    const before = await everything(world);
    const { answer, gate } = await promoteRelease(inputFor(world, '1.1.0'), openTools(world));
    expect([answer, gate.failing]).toEqual(['refused', ['tag-moved']]);
    expect(await everything(world)).toEqual(before);
  });
});

describe('a forged dossier', () => {
  const forgeries: readonly [string, string, (evidence: Evidence, world: World) => Partial<Evidence>][] = [
    ['another run', 'evidence-unbound', () => ({ run: 'another' })],
    ['another recipe', 'evidence-unbound', () => ({ recipe: 'other' })],
    ['another commit', 'evidence-unbound', () => ({ commit: '1'.repeat(40) })],
    [
      'another digest',
      'digest-mismatch',
      (_evidence, world) => ({ subject: { [world.image]: world.releases['1.0.0']!.digest } }),
    ],
    [
      'a base that is no release',
      'same-version-upgrade',
      ({ base }) => ({ base: { ...base!, tag: '0.1.0' } }),
    ],
    [
      'a base at another commit',
      'same-version-upgrade',
      ({ base }) => ({ base: { ...base!, commit: '1'.repeat(40) } }),
    ],
    [
      'itself as the base',
      'same-version-upgrade',
      (evidence) => ({
        base: { version: '1.1.0', tag: '1.1.0', commit: evidence.commit, reason: 'canonical' },
      }),
    ],
    [
      'a gap that nobody declared',
      'tier-na-undeclared',
      () => ({
        tiers: [
          { name: 'install', verdict: 'pass' },
          { name: 'upgrade', verdict: 'na', reason: 'first-release' },
        ],
      }),
    ],
    ['no upgrade at all', 'not-green', () => ({ tiers: [{ name: 'install', verdict: 'pass' }] })],
    ['the future', 'evidence-stale', () => ({ finishedAt: '9999-01-01T00:00:00Z' })],
  ];
  it('is refused, each forgery by its code, and nothing moves', async () => {
    const world = await attackedWorld('file');
    const before = await everything(world);
    for (const [what, code, forge] of forgeries) {
      const input = inputFor(world, '1.1.0');
      const evidence = { ...input.evidence!, ...forge(input.evidence!, world) };
      const { answer, gate } = await promoteRelease({ ...input, evidence }, openTools(world));
      expect(answer, what).toBe('refused');
      expect(gate.failing, what).toContain(code);
      expect(await everything(world), what).toEqual(before);
    }
  });

  it('that makes a red test green is refused by the run log', async () => {
    const world = await attackedWorld('file');
    const input = inputFor(world, '1.1.0');
    const { run, startedAt, finishedAt, commit } = input.evidence!;
    await openLedger(world).appendRun({
      recipe: 'app',
      version: '1.1.0',
      commit,
      subject: { kind: 'image', image: world.image, digest: world.releases['1.1.0']!.digest },
      verdict: 'red',
      reasons: ['check-failed'],
      tiers: { install: 'pass', upgrade: 'fail' },
      base: '1.0.1',
      run,
      startedAt,
      finishedAt,
    });
    const before = await everything(world);
    for (const moment of [finishedAt, new Date(Date.parse(finishedAt) + 5).toISOString()]) {
      const { answer, gate } = await promoteRelease(
        { ...input, evidence: { ...input.evidence!, finishedAt: moment } },
        openTools(world),
      );
      expect([answer, gate.failing]).toEqual(['refused', ['evidence-unbound']]);
    }
    expect(await everything(world)).toEqual(before);
  });
});
