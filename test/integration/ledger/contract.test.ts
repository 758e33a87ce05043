import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GitServer } from '../../../sandbox/git-server.ts';
import { recordText } from '../../../src/ledger/record.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { temporaryFolder } from '../git/repository.ts';
import { filePlace, gitPlace, httpGit, type Place } from './ledgers.ts';
import { commitOf, intent, promote, record, run } from './records.ts';

let server: GitServer;
let overHttp: () => Place;
beforeAll(async () => {
  const http = await httpGit();
  server = http.server;
  overHttp = http.place;
});
afterAll(() => server.stop());

const places: readonly [string, () => Place][] = [
  ['file', () => filePlace()],
  ['git over a path', () => gitPlace(join(temporaryFolder(), 'ledger.git'))],
  ['git over smart HTTP', () => overHttp()],
];

describe.each(places)('a ledger kept as %s', (_name, newPlace) => {
  const ready = async () => {
    const place = newPlace();
    const ledger = place.open();
    await ledger.init();
    return { place, ledger };
  };

  it('is missing until it is made, and made once', async () => {
    const place = newPlace();
    const ledger = place.open();
    expect(await ledger.exists()).toBe(false);
    await expect(ledger.read('app')).rejects.toMatchObject({ code: 'ledger-missing' });
    await expect(ledger.appendRun(run('app', '1.0.0'))).rejects.toMatchObject({ code: 'ledger-missing' });
    await expect(ledger.promoted('x')).rejects.toMatchObject({ code: 'ledger-missing' });
    expect(await ledger.init()).toBe(true);
    expect(await place.open().init()).toBe(false);
    expect(await ledger.exists()).toBe(true);
    expect((await ledger.read('app')).record()).toBeUndefined();
    expect(await ledger.recipes()).toEqual([]);
  });

  it('keeps a promotion as record and audit line, and removes the intent with the same write', async () => {
    const { place, ledger } = await ready();
    const first = await promote(ledger, 'app', '1.0.0');
    const second = await promote(ledger, 'app', '1.1.0+v2.0.0');
    const view = await place.open().read('app');
    expect(view.record()).toEqual(second);
    expect(view.trail().map((line) => line.record)).toEqual([first, second]);
    expect(view.intent()).toBeUndefined();
    expect(view.lease(Date.now())).toBe('none');
    expect(place.read('app/intent.json')).toBeUndefined();
    expect(place.read('app/canonical.json')).toBe(recordText(second));
    const [one, two] = place.read('app/promotions.ndjson')!.trimEnd().split('\n');
    expect(JSON.parse(one!)).toEqual({ record: first, previous: null });
    expect(JSON.parse(two!).previous).toBe(digestOf(one!));
    expect(await ledger.recipes()).toEqual(['app']);
    if (place.bare !== undefined) {
      // Begin, and for each promotion the intent and the record: one write each.
      expect(place.bare.git('rev-list', '--count', 'knowngood')).toBe('5');
    }
  });

  it('lets exactly one of many take the intent', async () => {
    const { place, ledger } = await ready();
    const { revision } = await ledger.read('app');
    const tries = Array.from({ length: 6 }, (_, index) => intent(`1.0.${index}`, 1, Date.now() + 60_000));
    const answers = await Promise.all(
      tries.map((each) => place.open().takeIntent('app', each, { revision })),
    );
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(1);
    const winner = tries[answers.indexOf('taken')]!;
    expect((await ledger.read('app')).intent()?.nonce).toBe(winner.nonce);
    // The same intent again is the same intent: its first answer may have been lost.
    expect(await ledger.takeIntent('app', winner, { revision })).toBe('taken');
  });

  it('gives no intent on what has changed since', async () => {
    const { ledger } = await ready();
    const { revision } = await ledger.read('app');
    await ledger.appendRun(run('app', '1.0.0', { verdict: 'red' }));
    const late = intent('1.0.0', 1, Date.now() + 60_000);
    expect(await ledger.takeIntent('app', late, { revision })).toBe('changed');
    expect((await ledger.read('app')).intent()).toBeUndefined();
    // What drift remembers decides nothing.
    const now = await ledger.read('app');
    await ledger.writeBaseline('app', { seen: 1 });
    expect(await ledger.takeIntent('app', late, { revision: now.revision })).toBe('taken');
  });

  it('lets one run take over an intent by its name, renews and drops only its own', async () => {
    const { place, ledger } = await ready();
    const old = intent('1.0.0', 1, Date.now() - 1000);
    await ledger.takeIntent('app', old, { revision: (await ledger.read('app')).revision });
    const view = await ledger.read('app');
    expect(view.lease(Date.now())).toBe('expired');
    const heirs = [1, 2, 3].map(() => intent('1.0.0', 1, Date.now() + 60_000));
    const answers = await Promise.all(
      heirs.map((each) =>
        place.open().takeIntent('app', each, { revision: view.revision, replaces: old.nonce }),
      ),
    );
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(1);
    const heir = heirs[answers.indexOf('taken')]!;
    expect(await ledger.renewIntent('app', old.nonce, new Date().toISOString())).toBe('lost');
    await ledger.dropIntent('app', old.nonce);
    expect(await ledger.commit('app', record('app', '1.0.0'), { nonce: old.nonce })).toBe('lost');
    const later = new Date(Date.now() + 120_000).toISOString();
    expect(await ledger.renewIntent('app', heir.nonce, later)).toBe('renewed');
    expect((await ledger.read('app')).intent()).toMatchObject({ nonce: heir.nonce, expires: later });
    await ledger.dropIntent('app', heir.nonce);
    expect((await ledger.read('app')).intent()).toBeUndefined();
    expect((await ledger.read('app')).record()).toBeUndefined();
  });

  it('commits only the next record, once, and without intent only on the revision that was read', async () => {
    const { ledger } = await ready();
    const first = await promote(ledger, 'app', '1.0.0');
    const view = await ledger.read('app');
    const hold = record('app', '1.0.0', first, { kind: 'hold', why: 'a test' });
    const skipping = record('app', '1.2.0', { ...first, sequence: 7 });
    expect(await ledger.commit('app', skipping, { revision: view.revision })).toBe('lost');
    expect(await ledger.commit('app', hold, { revision: view.revision })).toBe('written');
    // The answer to a write may be lost; asking again finds it there and adds nothing.
    expect(await ledger.commit('app', hold, { revision: view.revision })).toBe('written');
    expect((await ledger.read('app')).trail()).toHaveLength(2);
    const other = record('app', '1.0.0', hold, { kind: 'hold', why: 'another' });
    expect(await ledger.commit('app', other, { revision: view.revision })).toBe('lost');
    const lock = intent('1.1.0', 3, Date.now() + 60_000);
    const now = await ledger.read('app');
    await ledger.takeIntent('app', lock, { revision: now.revision });
    const locked = await ledger.read('app');
    expect(await ledger.commit('app', other, { revision: locked.revision })).toBe('lost');
  });

  it('appends runs from many processes at once and loses none', async () => {
    const { place, ledger } = await ready();
    const lines = Array.from({ length: 8 }, (_, index) =>
      run('app', index % 2 === 0 ? '1.0.0' : '1.1.0', { startedAt: `2026-01-02T03:0${index}:00.000Z` }),
    );
    await Promise.all(lines.map((line) => place.open().appendRun(line)));
    const runs = (await ledger.read('app')).runs();
    expect(runs.map((line) => line.run).sort()).toEqual(lines.map((line) => line.run).sort());
    const again = await ledger.appendRun(run('app', '1.0.0', { startedAt: '2026-02-02T03:00:00.000Z' }));
    const first = runs
      .filter(({ version }) => version === '1.0.0')
      .map(({ startedAt }) => startedAt)
      .sort()[0];
    expect(again.firstSeen).toBe(first);
    const moved = await ledger.appendRun(
      run('app', '1.0.0', { commit: commitOf('x'), startedAt: '2026-02-02T03:00:00.000Z' }),
    );
    expect(moved.firstSeen).toBe('2026-02-02T03:00:00.000Z');
  });

  it('writes nothing where nothing changes', async () => {
    const { place, ledger } = await ready();
    await promote(ledger, 'app', '1.0.0');
    await ledger.writeBaseline('app', { seen: { a: 1 } });
    const tip = place.bare?.git('rev-parse', 'knowngood');
    await ledger.writeBaseline('app', { seen: { a: 1 } });
    await ledger.dropIntent('app', 'nobody-has-this');
    expect(await ledger.init()).toBe(false);
    expect((await ledger.read('app')).baseline()).toEqual({ seen: { a: 1 } });
    expect(place.bare?.git('rev-parse', 'knowngood')).toBe(tip);
  });

  it('lists what was promoted of an image over all recipes', async () => {
    const { ledger } = await ready();
    const image = '127.0.0.1:5000/acme/shared';
    const of = (recipe: string, version: string, before?: ReturnType<typeof record>) =>
      record(recipe, version, before, {
        subject: { kind: 'image', image, digest: digestOf(version), platforms: {}, tested: [] },
      });
    const put = async (recipe: string, next: ReturnType<typeof record>) =>
      ledger.commit(recipe, next, { revision: (await ledger.read(recipe)).revision });
    const a1 = of('app', '3.0.0');
    const a2 = of('app', '3.1.0', a1);
    const hold = { bad: ['3.1.0'], until: 'newer' as const, reason: 'broken', by: 'me', at: a1.at };
    await put('app', a1);
    await put('app', a2);
    await put('app', { ...a1, sequence: 3, kind: 'rollback', why: 'broken', hold });
    await put('app-2', of('app-2', '2.5.0'));
    await promote(ledger, 'other', '9.0.0');
    const found = await ledger.promoted(image);
    expect(
      found.map(({ recipe, version, canonical, held }) => ({ recipe, version, canonical, held })),
    ).toEqual([
      { recipe: 'app', version: '3.0.0', canonical: true, held: false },
      { recipe: 'app', version: '3.1.0', canonical: false, held: true },
      { recipe: 'app-2', version: '2.5.0', canonical: true, held: false },
    ]);
  });

  it('gives record and run log of every recipe at once, also where nothing is canonical yet', async () => {
    const { ledger } = await ready();
    await promote(ledger, 'app', '1.0.0');
    await ledger.appendRun(run('app', '1.1.0'));
    await ledger.appendRun(run('tried', '0.1.0', { harness: '1.4.0' }));
    const all = await ledger.all();
    expect(
      [...all].sort().map(([recipe, view]) => [recipe, view.record()?.version, view.runs().length]),
    ).toEqual([
      ['app', '1.0.0', 1],
      ['tried', undefined, 1],
    ]);
    expect([...all.values()].flatMap((view) => view.runs().map(({ harness }) => harness)).sort()).toEqual([
      '1.4.0',
      undefined,
    ]);
  });

  it.each(['../app', 'App', '.app', 'a/b', '', 'a'.repeat(65), '-app', 'app\n'])(
    'takes %j for no recipe',
    async (name) => {
      const { ledger } = await ready();
      await expect(ledger.read(name)).rejects.toMatchObject({ code: 'recipe-name-invalid' });
      await expect(ledger.appendRun(run(name, '1.0.0'))).rejects.toMatchObject({
        code: 'recipe-name-invalid',
      });
    },
  );
});

// What is read is the same over any transport.
describe.each(places.slice(0, 2))('what was done by hand to a ledger kept as %s', (_name, newPlace) => {
  const withTwo = async () => {
    const place = newPlace();
    const ledger = place.open();
    await ledger.init();
    await promote(ledger, 'app', '1.0.0');
    await promote(ledger, 'app', '1.1.0');
    const lines = place.read('app/promotions.ndjson')!.trimEnd().split('\n');
    return { place, ledger, lines, canonical: place.read('app/canonical.json')! };
  };
  const trail = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

  it.each<[string, string, (state: Awaited<ReturnType<typeof withTwo>>) => void]>([
    [
      'a rewritten record',
      'record-untrusted',
      ({ place, canonical }) => place.write('app/canonical.json', canonical.replace('1.1.0', '1.0.9')),
    ],
    [
      'an older record put back',
      'record-untrusted',
      ({ place, lines }) => place.write('app/canonical.json', recordText(JSON.parse(lines[0]!).record)),
    ],
    ['a removed record', 'record-untrusted', ({ place }) => place.write('app/canonical.json', null)],
    ['a removed trail', 'record-untrusted', ({ place }) => place.write('app/promotions.ndjson', null)],
    [
      'a rewritten first line',
      'record-untrusted',
      ({ place, lines }) =>
        place.write('app/promotions.ndjson', trail([lines[0]!.replace('someone', 'nobody'), lines[1]!])),
    ],
    [
      'a truncated trail',
      'record-untrusted',
      ({ place, lines }) => place.write('app/promotions.ndjson', trail([lines[0]!])),
    ],
    [
      'a trail without its beginning',
      'record-untrusted',
      ({ place, lines }) => place.write('app/promotions.ndjson', trail([lines[1]!])),
    ],
    [
      'a reordered trail',
      'record-untrusted',
      ({ place, lines }) => place.write('app/promotions.ndjson', trail([lines[1]!, lines[0]!])),
    ],
    [
      'a repeated line',
      'record-untrusted',
      ({ place, lines }) => place.write('app/promotions.ndjson', trail([...lines, lines[1]!])),
    ],
    [
      'a line that appends a record and no canonical',
      'record-untrusted',
      ({ place, lines }) =>
        place.write(
          'app/promotions.ndjson',
          trail([
            ...lines,
            JSON.stringify({ record: JSON.parse(lines[1]!).record, previous: digestOf(lines[1]!) }),
          ]),
        ),
    ],
    [
      'half a last line',
      'record-corrupt',
      ({ place, lines }) => place.write('app/promotions.ndjson', trail(lines).slice(0, -40)),
    ],
    [
      'half a record',
      'record-corrupt',
      ({ place, canonical }) => place.write('app/canonical.json', canonical.slice(0, 100)),
    ],
    ['an empty record', 'record-corrupt', ({ place }) => place.write('app/canonical.json', '')],
    [
      'a record with a key twice',
      'record-corrupt',
      ({ place, canonical }) =>
        place.write('app/canonical.json', canonical.replace('"version"', '"recipe": "other",\n  "version"')),
    ],
    [
      'bytes that are no text',
      'record-corrupt',
      ({ place }) => place.write('app/canonical.json', new Uint8Array([0x7b, 0xff, 0x7d])),
    ],
    [
      'another schema',
      'record-corrupt',
      ({ place, canonical }) =>
        place.write('app/canonical.json', canonical.replace('knowngood/canonical/v1', 'something/else')),
    ],
    [
      'a newer schema',
      'record-too-new',
      ({ place, canonical }) =>
        place.write('app/canonical.json', canonical.replace('canonical/v1', 'canonical/v2')),
    ],
    [
      'a link in place of the record',
      'path-outside',
      ({ place }) => place.link('app/canonical.json', 'promotions.ndjson'),
    ],
    ['a link in place of the folder', 'path-outside', ({ place }) => place.link('app', 'elsewhere')],
    [
      'a folder in place of the record',
      'path-outside',
      ({ place }) => {
        place.write('app/canonical.json', null);
        place.write('app/canonical.json/x', 'y');
      },
    ],
  ])('%s is %s, and is never written on', async (_what, code, attack) => {
    const state = await withTwo();
    attack(state);
    const before = state.place.read('app/promotions.ndjson');
    const ledger = state.place.open();
    await expect(ledger.read('app').then((view) => view.record())).rejects.toMatchObject({ code });
    const next = record('app', '1.2.0', record('app', '1.1.0', record('app', '1.0.0')));
    const revision = await ledger.read('app').then(
      (view) => view.revision,
      () => digestOf(''),
    );
    await expect(ledger.commit('app', next, { revision })).rejects.toMatchObject({ code });
    expect(state.place.read('app/promotions.ndjson')).toBe(before);
  });

  it('reads a record of an older schema', async () => {
    const place = newPlace();
    const ledger = place.open();
    await ledger.init();
    const { subject, version, tag, commit, recipe } = record('app', '1.0.0');
    const old = { schema: 'knowngood/canonical/v0', recipe, version, tag, commit, subject, sequence: 1 };
    place.write('app/canonical.json', `${JSON.stringify(old, null, 2)}\n`);
    place.write('app/promotions.ndjson', `${JSON.stringify({ record: old, previous: null })}\n`);
    expect((await ledger.read('app')).record()).toMatchObject({
      version: '1.0.0',
      hold: null,
      previous: null,
    });
    const next = await promote(ledger, 'app', '1.1.0');
    expect(next.sequence).toBe(2);
    expect((await place.open().read('app')).trail()).toHaveLength(2);
  });

  it.each<[string, string, string]>([
    ['half a line in the run log', 'runs.ndjson', '{"recipe":"app"'],
    ['a line that is none in the run log', 'runs.ndjson', '{}\n'],
    ['an intent that is none', 'intent.json', '{}\n'],
    ['half an intent', 'intent.json', '{"nonce":'],
  ])('%s is damage, and never nothing', async (_what, name, text) => {
    const { place } = await withTwo();
    place.write(`app/${name}`, text);
    const view = await place.open().read('app');
    expect(view.record()?.version).toBe('1.1.0');
    const read = name === 'runs.ndjson' ? () => view.runs() : () => view.intent();
    expect(read).toThrow(expect.objectContaining({ code: 'record-corrupt' }));
    const lock = intent('1.2.0', 3, Date.now() + 1000);
    if (name === 'intent.json') {
      await expect(place.open().takeIntent('app', lock, { revision: view.revision })).rejects.toMatchObject({
        code: 'record-corrupt',
      });
    }
  });

  it('reads an intent as a person would write it, and takes an endless lease for nobody’s', async () => {
    const { place } = await withTwo();
    const plain = {
      nonce: 'written-by-hand',
      version: '1.2.0',
      digest: digestOf('x'),
      sequence: 3,
      tags: [{ tag: '1.2.0', from: null, to: digestOf('x') }],
      run: 'somewhere',
      expires: '9999-12-31T23:59:59Z',
    };
    place.write('app/intent.json', JSON.stringify(plain));
    const view = await place.open().read('app');
    expect(view.intent()).toEqual(plain);
    expect(() => view.lease(Date.now())).toThrow(expect.objectContaining({ code: 'intent-invalid' }));
  });

  it('does not let a damaged recipe stop another one', async () => {
    const { place } = await withTwo();
    place.write('broken/canonical.json', '{');
    const ledger = place.open();
    await promote(ledger, 'app', '1.2.0');
    expect(await ledger.promoted('127.0.0.1:5000/acme/app')).toHaveLength(3);
  });
});
