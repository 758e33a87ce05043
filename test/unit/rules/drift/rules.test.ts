import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../../src/oci/digest.ts';
import { type Finding, finding } from '../../../../src/outcome.ts';
import { checkAttestation } from '../../../../src/rules/drift/attestation.ts';
import { nextBaseline, readBaseline } from '../../../../src/rules/drift/baseline.ts';
import { contradictions, driftCodes } from '../../../../src/rules/drift/checks.ts';
import { checkFloating } from '../../../../src/rules/drift/floating.ts';
import { planIssue, stateLine } from '../../../../src/rules/drift/issue.ts';
import { checkMirror } from '../../../../src/rules/drift/mirror.ts';
import { checkRecipe } from '../../../../src/rules/drift/recipe.ts';
import { checkRelease } from '../../../../src/rules/drift/release.ts';
import { checkRunning, type RunningThing } from '../../../../src/rules/drift/running.ts';
import { driftVerdict } from '../../../../src/rules/drift/verdict.ts';
import { checkVersion } from '../../../../src/rules/drift/version.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const codes = (findings: readonly Finding[]): string[] => findings.map(({ code }) => code);
const silent = { unanswered: 'nobody answered.' };
const git = (version: string) => ({ version, tag: version, commit: version });

describe('release', () => {
  const image = (...tags: string[]) => ({ name: 'ghcr.io/acme/app', tags: { known: tags } });
  const branch = { name: 'main', ahead: false };
  const releases = ['2.1.0', '2.0.0', '1.0.0'].map(git);
  it.each<[string, Parameters<typeof checkRelease>[0], string[]]>([
    ['all agree', { releases, image: image('2.1.0', '2.0.0', '1.0.0', 'latest', '2', 'sha-1'), branch }, []],
    ['one spelt with a v', { releases, image: image('v2.1.0', '2.0.0', '1.0.0'), branch }, []],
    [
      'the newest has no image',
      { releases, image: image('2.0.0', '1.0.0'), branch },
      ['unpublished-release'],
    ],
    [
      'one between has no image',
      { releases, image: image('2.1.0', '1.0.0'), branch },
      ['unpublished-release'],
    ],
    ['what was before the first image', { releases, image: image('2.1.0'), branch }, []],
    ['nothing was ever published', { releases, image: image(), branch }, ['unpublished-release']],
    [
      'an image that git does not know',
      { releases, image: image('2.1.0', '9.9.9'), branch },
      ['unreleased-tag'],
    ],
    [
      'the registry is silent',
      { releases, image: { name: 'x', tags: silent }, branch },
      ['cannot-determine'],
    ],
    ['the forge is silent', { releases, forge: silent, branch }, ['cannot-determine']],
    ['the forge has all', { releases, forge: { known: ['2.1.0', 'v2.0.0'] }, branch }, []],
    [
      'the forge lacks the newest',
      { releases, forge: { known: ['2.0.0'] }, branch },
      ['unpublished-release'],
    ],
    ['the forge is not used', { releases, forge: { known: [] }, branch }, []],
    ['the forge has another', { releases, forge: { known: ['2.1.0', '7.0.0'] }, branch }, ['unreleased-tag']],
    ['commits after the release', { releases, branch: { name: 'main', ahead: true } }, ['untagged-ahead']],
    ['no release at all', { releases: [], branch: { name: 'main', ahead: true } }, []],
  ])('%s', (_, facts, expected) => expect(codes(checkRelease(facts))).toEqual(expected));
});

describe('floating', () => {
  const want = { version: '2.0.0', digest: digest('a') };
  it.each<[string, string, Parameters<typeof checkFloating>[0][number]['found'], string[]]>([
    ['where it belongs', 'latest', { known: { digest: digest('a') } }, []],
    ['the same content, indexed again', 'latest', { known: { digest: digest('b'), version: '2.0.0' } }, []],
    ['an older release', 'latest', { known: { digest: digest('1'), version: '1.0.0' } }, ['floating-behind']],
    [
      'an older release of its line',
      '2',
      { known: { digest: digest('1'), version: '2.0.0-rc.1' } },
      ['floating-behind'],
    ],
    [
      'a release of another line',
      '2',
      { known: { digest: digest('1'), version: '1.9.0' } },
      ['floating-wrong'],
    ],
    ['a newer release', 'latest', { known: { digest: digest('3'), version: '3.0.0' } }, ['floating-wrong']],
    ['nobody knows what', 'latest', { known: { digest: digest('f') } }, ['floating-wrong']],
    ['not there', '2.0', { known: undefined }, ['floating-behind']],
    ['not answered', '2.0', silent, ['cannot-determine']],
  ])('%s', (_, tag, found, expected) =>
    expect(codes(checkFloating([{ image: 'x', tag, want, found }]))).toEqual(expected),
  );
});

describe('version', () => {
  const place = (name: string, value: string) => ({ name, value });
  it('names every place and value, at the first place that has one', () => {
    const at = { file: 'compose.yml', line: 12, column: 11 };
    const [found] = checkVersion({
      tree: [{ ...place('compose.yml:12', '1.0.0'), at }, place('Dockerfile:3', '1.1.0')],
    });
    expect(found).toMatchObject({ code: 'version-disagrees', level: 'error', at });
    expect(found?.message).toContain('compose.yml:12 says 1.0.0, Dockerfile:3 says 1.1.0');
  });
  it.each<[string, Parameters<typeof checkVersion>[0], string[]]>([
    ['spellings of one version', { tree: [place('a', 'v1.0.0'), place('b', '1.0.0')] }, []],
    ['no place', { tree: [] }, []],
    [
      'a label that agrees',
      { tree: [], image: { version: '1.0.0', name: 'x', labels: { known: [place('l', '1.0.0')] } } },
      [],
    ],
    [
      'a label that does not',
      { tree: [], image: { version: '1.0.0', name: 'x', labels: { known: [place('l', '2.0.0')] } } },
      ['version-disagrees'],
    ],
    [
      'labels not answered',
      { tree: [], image: { version: '1.0.0', name: 'x', labels: silent } },
      ['cannot-determine'],
    ],
  ])('%s', (_, facts, expected) => expect(codes(checkVersion(facts))).toEqual(expected));
});

describe('running', () => {
  const canonical = { version: '2.0.0', digests: [digest('a'), digest('b')] };
  const promoted = [{ version: '1.0.0', digest: digest('1') }];
  const thing = (digests: string[], version?: string): RunningThing => ({
    kind: 'container',
    name: 'web',
    digests,
    ...(version === undefined ? {} : { version }),
  });
  it.each<[string, RunningThing, string[]]>([
    ['the index', thing([digest('a')]), []],
    ['the platform', thing([digest('b')], '2.0.0'), []],
    // The label lies; the digest does not.
    ['the digest under a wrong label', thing([digest('a')], '1.0.0'), []],
    ['the same version, other content', thing([digest('f')], '2.0.0'), ['running-differs']],
    ['built here as that version', thing([], '2.0.0'), ['running-differs']],
    ['an older release by digest', thing([digest('1')], '2.0.0'), ['running-behind']],
    ['an older release by label', thing([digest('f')], '1.5.0'), ['running-behind']],
    ['who knows', thing([digest('f')]), ['running-unlabelled']],
  ])('%s', (_, one, expected) =>
    expect(codes(checkRunning({ image: 'x', canonical, promoted, things: { known: [one] } }))).toEqual(
      expected,
    ),
  );
  it('an engine that does not answer is no answer', () => {
    expect(codes(checkRunning({ image: 'x', canonical, promoted, things: silent }))).toEqual([
      'cannot-determine',
    ]);
  });
});

describe('recipe, attestation', () => {
  it('name what differs', () => {
    const [found] = checkRecipe({
      image: 'x',
      tag: '1.0.0',
      compared: { known: { differing: ['dockerfile changed'] } },
    });
    expect(found).toMatchObject({ code: 'recipe-differs', level: 'error' });
    expect(found?.message).toContain('dockerfile changed');
  });
  it.each<[Parameters<typeof checkAttestation>[0]['verified'], string[]]>([
    [{ known: { answer: 'verified', findings: [] } }, []],
    [{ known: { answer: 'missing', findings: [] } }, ['attestation-missing']],
    [{ known: { answer: 'bad', findings: [] } }, ['attestation-invalid']],
    [silent, ['cannot-determine']],
  ])('%j', (verified, expected) =>
    expect(codes(checkAttestation({ image: 'x', verified }))).toEqual(expected),
  );
});

describe('mirror', () => {
  const map = (entries: Record<string, string>) => new Map(Object.entries(entries));
  const base = { recipe: 'app', mirror: 'm', upstream: 'u' };
  it.each<[string, Record<string, string>, Record<string, string>, 'same' | 'behind' | 'diverged', string[]]>(
    [
      ['equal', { a: '1' }, { a: '1' }, 'same', []],
      ['a tag of its own', { a: '1', own: '2' }, { a: '1' }, 'same', []],
      ['lacks a tag', {}, { a: '1' }, 'same', ['mirror-behind']],
      ['lacks commits', { a: '1' }, { a: '1' }, 'behind', ['mirror-behind']],
      ['a tag elsewhere', { a: '2' }, { a: '1' }, 'same', ['mirror-diverged']],
      ['a branch elsewhere', { a: '1' }, { a: '1' }, 'diverged', ['mirror-diverged']],
    ],
  )('%s', (_, mirrorTags, upstreamTags, branch, expected) => {
    const known = {
      mirrorTags: map(mirrorTags),
      upstreamTags: map(upstreamTags),
      branch,
      branchName: 'main',
    };
    expect(codes(checkMirror({ ...base, compared: { known } }))).toEqual(expected);
  });
  it('an upstream that does not answer is no answer', () => {
    expect(codes(checkMirror({ ...base, compared: silent }))).toEqual(['cannot-determine']);
  });
});

describe('the verdict', () => {
  const one = (code: Finding['code']) => finding(code, 'error', code);
  it.each<[Finding['code'][], string, string, number]>([
    [[], 'clean', 'done', 0],
    [['pin-behind', 'running-behind', 'pin-floating'], 'clean', 'done', 2],
    [['digest-drift', 'pin-behind'], 'drift', 'refused', 1],
    [['digest-drift', 'cannot-determine'], 'error', 'error', 0],
    [['cannot-determine'], 'error', 'error', 0],
    [['record-untrusted'], 'error', 'error', 0],
  ])('of %j is %s', (found, verdict, outcome, behind) => {
    expect(driftVerdict(found.map(one), contradictions)).toMatchObject({ verdict, outcome, behind });
  });
  it('is not `error` for a warning that another step would fail', () => {
    const warned = finding('pin-not-a-release', 'warning', 'x');
    expect(driftVerdict([warned], contradictions)).toMatchObject({ verdict: 'clean' });
    expect(driftVerdict([warned], ['pin-not-a-release'])).toMatchObject({ verdict: 'drift' });
  });
  it('follows `fail-on`', () => {
    expect(driftVerdict([one('pin-behind')], ['pin-behind'])).toMatchObject({
      verdict: 'drift',
      reasons: ['pin-behind'],
    });
    expect(driftVerdict([one('digest-drift')], [])).toMatchObject({ verdict: 'clean' });
  });
  it('fails by default on codes that can be found only', () => {
    for (const code of contradictions) expect(driftCodes).toContain(code);
    expect(new Set(driftCodes).size).toBe(driftCodes.length);
  });
});

describe('the baseline', () => {
  it('keeps the first sight, forgets what is gone, and never lies in the future', () => {
    const first = nextBaseline(readBaseline(undefined), ['1.0.0'], 100);
    const second = nextBaseline(readBaseline(JSON.parse(JSON.stringify(first))), ['1.0.0', '2.0.0'], 200);
    expect(second.releases).toEqual({ '1.0.0': 100, '2.0.0': 200 });
    expect(nextBaseline(second, ['2.0.0'], 50).releases).toEqual({ '2.0.0': 50 });
  });
  it.each([
    undefined,
    7,
    {},
    { schema: 'knowngood/drift/v9', releases: { a: 1 } },
    { schema: 'knowngood/drift/v1', releases: [] },
  ])('of another form is none: %j', (value) => expect(readBaseline(value).releases).toEqual({}));
});

describe('the issue', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  const report = { clean: false, incomplete: false, fingerprint: 'f1', urgency: 'u1' };
  const issue = (told: typeof report, hoursAgo: number) => ({
    number: 7,
    body: `<!-- knowngood:drift app -->\n${stateLine(told)}\ntext`,
    updatedAt: new Date(now - hoursAgo * 3_600_000).toISOString(),
  });
  it.each<[string, ReturnType<typeof issue> | undefined, typeof report, object]>([
    ['none, nothing found', undefined, { ...report, clean: true }, { do: 'nothing', why: 'clean' }],
    ['none, drift', undefined, report, { do: 'open' }],
    ['the same again', issue(report, 30), report, { do: 'nothing', why: 'unchanged' }],
    ['other findings', issue(report, 30), { ...report, fingerprint: 'f2' }, { do: 'update', number: 7 }],
    [
      'other findings, just told',
      issue(report, 1),
      { ...report, fingerprint: 'f2' },
      { do: 'nothing', why: 'throttled' },
    ],
    [
      'worse, just told',
      issue(report, 1),
      { ...report, fingerprint: 'f2', urgency: 'u2' },
      { do: 'update', number: 7 },
    ],
    ['over', issue(report, 1), { ...report, clean: true }, { do: 'close', number: 7 }],
    [
      'over, as far as can be seen',
      issue(report, 1),
      { ...report, clean: true, incomplete: true },
      { do: 'nothing', why: 'incomplete' },
    ],
    ['written by hand', { ...issue(report, 9), body: 'x' }, report, { do: 'update', number: 7 }],
  ])('%s', (_, existing, told, plan) => expect(planIssue(existing, told, now)).toEqual(plan));
});
