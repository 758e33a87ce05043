import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/outcome.ts';
import { reasons } from '../../../src/reasons.ts';
import type { TagFact } from '../../../src/rules/releases.ts';
import {
  type StatedVersion,
  type StepBackAnswer,
  type StepBackInput,
  stepBack,
} from '../../../src/rules/step-back.ts';
import { compareVersions, parseVersion } from '../../../src/rules/version.ts';

const now = new Date('2026-06-15T00:00:00Z');

/** Few values, so that things collide: one commit twice, one version in two spellings, one tree on two commits. */
const versionText = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom('', 'v'),
        fc.nat({ max: 2 }),
        fc.nat({ max: 1 }),
        fc.nat({ max: 1 }),
        fc.constantFrom('', '', '-rc.1'),
        fc.constantFrom('', '', '+1', '+v1', '+v10'),
      )
      .map(([v, a, b, c, pre, build]) => `${v}${a}.${b}.${c}${pre}${build}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('1.13.4_1', 'latest', '') },
);
const commit = fc.constantFrom('c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6');
const tree = fc.constantFrom('t0', 't1', 't2', 't3', 't4', 't5');
const tagFact: fc.Arbitrary<TagFact> = fc.record({
  name: versionText,
  commit,
  tree,
  reachable: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
  ancestor: fc.boolean(),
});
const day = fc.constantFrom(undefined, undefined, '2026-01-01', '2027-01-01');
const range = fc.constantFrom(undefined, undefined, '>=1', '<1', 'nonsense');
const stated = (raw: string): StatedVersion => ({ state: 'stated', raw });
const loose: fc.Arbitrary<StepBackInput> = fc.record({
  context: fc.constantFrom('release' as const, 'change' as const),
  target: fc.record({
    version: fc.oneof(
      { weight: 10, arbitrary: versionText.map(stated) },
      { weight: 1, arbitrary: fc.constant<StatedVersion>({ state: 'untagged' }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom<StatedVersion>(
          { state: 'missing', places: ['x'] },
          { state: 'ambiguous', places: ['x'] },
        ),
      },
    ),
    commit,
    tree,
    tag: fc.option(versionText, { nil: undefined }),
  }),
  tags: fc.oneof(
    { weight: 20, arbitrary: fc.uniqueArray(tagFact, { selector: ({ name }) => name, maxLength: 9 }) },
    { weight: 1, arbitrary: fc.constant('unavailable' as const) },
  ),
  pattern: fc.constantFrom('*', '*', '*', 'v*'),
  canonical: fc.option(
    fc.record({
      version: versionText,
      tag: versionText,
      commit,
      hold: fc.option(
        fc.record({
          bad: fc.array(versionText, { maxLength: 1 }),
          until: fc.constantFrom('newer' as const, 'manual' as const),
        }),
      ),
    }),
    { nil: undefined },
  ),
  pin: fc.option(fc.record({ version: versionText, for: range, until: day }), { nil: undefined, freq: 2 }),
  knownBroken: fc.array(fc.record({ version: versionText, until: day }), { maxLength: 2 }),
  upgrade: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
  expectedNa: fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    fc.record({ reason: fc.constant('x'), versions: range }),
  ),
  maxMajorStep: fc.nat({ max: 2 }),
  withoutImage: fc.array(versionText, { maxLength: 2 }),
  now: fc.constant(now),
});

/** Candidate, canonical and pin of some of the inputs are tags of theirs: else triage would end nearly all. */
const anyInput: fc.Arbitrary<StepBackInput> = fc
  .tuple(loose, fc.option(fc.nat(), { freq: 3 }), fc.option(fc.nat(), { freq: 3 }), fc.option(fc.nat()))
  .map(([input, target, canonical, pin]) => {
    const { tags } = input;
    if (tags === 'unavailable' || tags.length === 0) return input;
    const pick = (index: number | null): TagFact | undefined =>
      index === null ? undefined : tags[index % tags.length];
    const [t, c, p] = [pick(target), pick(canonical), pick(pin)];
    return {
      ...input,
      ...(t === undefined || input.target.version.state !== 'stated'
        ? {}
        : { target: { version: stated(t.name), commit: t.commit!, tree: t.tree!, tag: t.name } }),
      ...(c === undefined || input.canonical === undefined
        ? {}
        : { canonical: { ...input.canonical, version: c.name, tag: c.name, commit: c.commit! } }),
      ...(p === undefined || input.pin === undefined ? {} : { pin: { ...input.pin, version: p.name } }),
    };
  });

type Ending = { answer: StepBackAnswer } | { code: string };
function endOf(input: StepBackInput): Ending {
  try {
    return { answer: stepBack(input) };
  } catch (error) {
    if (error instanceof Failure) return { code: error.code };
    throw error;
  }
}

/** What an answer is apart from its explanation. */
function gist(ending: Ending): unknown {
  if ('code' in ending) return ending.code;
  const { decision, reason, base } = ending.answer;
  return [decision, reason, base?.tag];
}

const runs = { numRuns: 3000 };

describe('step-back, for any input', () => {
  it('ends in exactly one outcome, which the table of reasons knows', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyInput, (input) => {
        const ending = endOf(input);
        if ('code' in ending) {
          expect(ending.code).not.toBe('base-invariant');
          expect(reasons[ending.code as keyof typeof reasons].class).toBe('failure');
          seen.add(ending.code);
          return;
        }
        const { decision, reason, base, withoutPin } = ending.answer;
        seen.add(reason);
        expect(base !== undefined).toBe(decision === 'run');
        const kinds = { run: ['good'], na: ['good', 'skip'], skip: ['skip', 'refusal', 'note'] }[decision];
        expect(kinds).toContain(reasons[reason].class);
        if (decision !== 'skip' && input.upgrade && !['not-requested', 'expected-na'].includes(reason)) {
          expect(withoutPin !== undefined).toBe(input.pin !== undefined);
        }
      }),
      // A fixed seed: how far the inputs reach must not be left to chance.
      { numRuns: 12_000, seed: 20 },
    );
    // The inputs reach the table, not only its first rows.
    expect(seen.size).toBeGreaterThan(30);
  });

  it('keeps the invariants of a base', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const ending = endOf(input);
        if ('code' in ending || ending.answer.base === undefined || input.tags === 'unavailable') return;
        const { base, reason } = ending.answer;
        const stated =
          input.target.version.state === 'stated' ? parseVersion(input.target.version.raw) : undefined;
        if (stated !== undefined) expect(compareVersions(base.version, stated)).toBeLessThan(0);
        else expect(base.ancestor).toBe(true);
        expect(base.commit).not.toBe(input.target.commit);
        expect(base.tree).not.toBe(input.target.tree);
        const fact = input.tags.find(({ name }) => name === base.tag);
        expect(fact).toMatchObject({ commit: base.commit, tree: base.tree, reachable: true });
        const others = input.tags.filter(({ name, reachable }) => {
          const version = parseVersion(input.pattern === 'v*' ? name.replace(/^v/, '') : name);
          const matches = input.pattern !== 'v*' || name.startsWith('v');
          return (
            matches && reachable && version !== undefined && compareVersions(version, base.version) === 0
          );
        });
        expect(new Set(others.map((other) => other.commit)).size).toBe(1);
        for (const { version, until } of input.knownBroken) {
          const bad = parseVersion(version);
          if (bad === undefined || until === '2026-01-01') continue;
          expect(compareVersions(bad, base.version)).not.toBe(0);
        }
        if (input.context === 'release') expect(reason).not.toMatch(/^samever-/);
        expect(input.withoutImage).not.toContain(base.tag);
      }),
      { numRuns: 6000 },
    );
  });

  it('does not depend on the order of tags and entries', () => {
    fc.assert(
      fc.property(anyInput, fc.infiniteStream(fc.nat()), (input, order) => {
        const shuffled = <T>(list: readonly T[]): T[] =>
          list
            .map((item) => ({ item, key: order.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const other: StepBackInput = {
          ...input,
          tags: input.tags === 'unavailable' ? input.tags : shuffled(input.tags),
          withoutImage: shuffled(input.withoutImage ?? []),
        };
        expect(endOf(other)).toEqual(endOf(input));
      }),
      runs,
    );
  });

  it('says in withoutPin what it answers when the pin is taken away', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const ending = endOf(input);
        if ('code' in ending || ending.answer.withoutPin === undefined) return;
        const { decision, reason, base } = ending.answer.withoutPin;
        const alone = endOf({ ...input, pin: undefined });
        expect(decision === 'error' ? reason : [decision, reason, base?.tag]).toEqual(gist(alone));
      }),
      { numRuns: 6000 },
    );
  });

  it('is changed by no tag that is off the release branch', () => {
    fc.assert(
      fc.property(anyInput, versionText, commit, tree, (input, name, at, its) => {
        if (input.tags === 'unavailable' || input.tags.some((tag) => tag.name === name)) return;
        const stray: TagFact = { name, commit: at, tree: its, reachable: false, ancestor: true };
        expect(gist(endOf({ ...input, tags: [...input.tags, stray] }))).toEqual(gist(endOf(input)));
      }),
      runs,
    );
  });

  it('is changed by no unrelated newer tag, once there is a base', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const before = endOf(input);
        if (input.tags === 'unavailable' || 'code' in before || before.answer.decision !== 'run') return;
        if (input.target.version.state !== 'stated') return;
        const newer: TagFact = { name: 'v9.9.9', commit: 'c9', tree: 't9', reachable: true, ancestor: false };
        expect(gist(endOf({ ...input, tags: [...input.tags, newer] }))).toEqual(gist(before));
      }),
      runs,
    );
  });

  it('answers the same when it is asked again', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        expect(endOf(input)).toEqual(endOf(structuredClone(input)));
      }),
      runs,
    );
  });
});
