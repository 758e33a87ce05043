import { describe, expect, it } from 'vitest';
import { type StepBackInput, stepBack } from '../../../src/rules/step-back.ts';
import { answered, asked, canonical, commitOf, tag, treeOf } from './facts.ts';

type Row = [name: string, input: StepBackInput, answer: string];

const releasing = { context: 'release' as const };
/** The candidate is exactly this tag. */
const at = (name: string): { target: { commit: string; tree: string; tag: string } } => ({
  target: { commit: commitOf(name), tree: treeOf(name), tag: name },
});
const broken = (...versions: string[]): { knownBroken: StepBackInput['knownBroken'] } => ({
  knownBroken: versions.map((version) => ({ version, reason: 'broken' })),
});

describe('the decision: before anything is looked at', () => {
  it.each<Row>([
    ['upgrade not asked for', asked('1.1.0', ['1.0.0'], { upgrade: false }), 'na not-requested'],
    [
      'not asked for wins over everything',
      asked(undefined, [], { upgrade: false, tags: 'unavailable' }),
      'na not-requested',
    ],
    [
      'declared na for V',
      asked('4.0.0', ['3.0.0'], { expectedNa: { reason: 'dump', versions: '>=4 <5' } }),
      'na expected-na',
    ],
    ['declared na for all', asked('4.0.0', ['3.0.0'], { expectedNa: { reason: 'dump' } }), 'na expected-na'],
    [
      'declared na for others',
      asked('3.1.0', ['3.0.0'], { expectedNa: { reason: 'dump', versions: '>=4 <5' } }),
      'run 3.0.0 previous-release',
    ],
    [
      'declared na, V without order',
      asked('x', ['3.0.0'], { expectedNa: { reason: 'dump', versions: '>=4' } }),
      'na target-unparseable',
    ],
    [
      'no V',
      asked('', ['1.0.0'], { target: { version: { state: 'missing', places: ['compose.yml'] } } }),
      'error target-version-missing',
    ],
    [
      'several V',
      asked('', ['1.0.0'], { target: { version: { state: 'ambiguous', places: ['a', 'b'] } } }),
      'error target-version-ambiguous',
    ],
    ['tags not listed', asked('1.1.0', [], { tags: 'unavailable' }), 'error tags-unavailable'],
    [
      'tags not listed is no reason to skip',
      asked('1.1.0', [], { tags: 'unavailable', ...releasing }),
      'error tags-unavailable',
    ],
  ])('%s', (_, input, answer) => expect(answered(input)).toBe(answer));
});

describe('the decision: triage, in context release', () => {
  it.each<Row>([
    ['no tag at all', asked('1.0.0', [], releasing), 'skip never-released'],
    ['no tag that is a version', asked('1.0.0', ['1.13.4_1', 'latest'], releasing), 'skip never-released'],
    [
      'no tag on the branch',
      asked('1.0.0', [tag('1.0.0', { reachable: false })], releasing),
      'skip never-released',
    ],
    ['V does not parse', asked('1.13.4_1', ['1.0.0'], releasing), 'skip target-unparseable'],
    ['V is no tag', asked('1.1.0', ['1.0.0'], releasing), 'skip not-tagged'],
    ['untagged, version from tags', asked(undefined, ['1.0.0'], releasing), 'skip not-tagged'],
    ['V is a tag, of another commit', asked('1.0.0', ['1.0.0', '0.9.0'], releasing), 'skip not-tagged'],
    [
      'V = C',
      asked('1.0.0', ['1.0.0', '0.9.0'], { ...releasing, ...at('1.0.0'), canonical: canonical('1.0.0') }),
      'skip no-new-version',
    ],
    [
      'V = C, from an untagged commit after it',
      asked('1.0.0', ['1.0.0', '0.9.0'], { ...releasing, canonical: canonical('1.0.0') }),
      'skip no-new-version',
    ],
    [
      'V = C in another spelling',
      asked('v1.0.0', [tag('v1.0.0', { commit: commitOf('1.0.0') }), '0.9.0'], {
        ...releasing,
        target: { commit: commitOf('1.0.0') },
        canonical: canonical('1.0.0'),
      }),
      'skip no-new-version',
    ],
    [
      'V = C, tag moved',
      asked('1.0.0', ['1.0.0'], {
        ...releasing,
        ...at('1.0.0'),
        canonical: canonical('1.0.0', { commit: 'before' }),
      }),
      'skip canonical-tag-moved',
    ],
    [
      'V < C',
      asked('1.0.0', ['1.0.0', '1.1.0'], { ...releasing, ...at('1.0.0'), canonical: canonical('1.1.0') }),
      'skip canonical-ahead',
    ],
    [
      'V < C by build',
      asked('1.0.0+v1', ['1.0.0+v1', '1.0.0+v2'], {
        ...releasing,
        ...at('1.0.0+v1'),
        canonical: canonical('1.0.0+v2'),
      }),
      'skip canonical-ahead',
    ],
    [
      'held',
      asked('1.1.0', ['1.0.0', '1.1.0'], {
        ...releasing,
        ...at('1.1.0'),
        canonical: { ...canonical('1.0.0')!, hold: { bad: ['v1.1.0'], until: 'newer' } },
      }),
      'skip held',
    ],
    [
      'a newer one than the held',
      asked('1.2.0', ['1.0.0', '1.1.0', '1.2.0'], {
        ...releasing,
        ...at('1.2.0'),
        canonical: { ...canonical('1.0.0')!, hold: { bad: ['1.1.0'], until: 'newer' } },
      }),
      'run 1.0.0 canonical canonical-lags:1',
    ],
    [
      'a newer one than the held, until somebody lifts it',
      asked('1.2.0', ['1.0.0', '1.1.0', '1.2.0'], {
        ...releasing,
        ...at('1.2.0'),
        canonical: { ...canonical('1.0.0')!, hold: { bad: ['1.1.0'], until: 'manual' } },
      }),
      'skip held',
    ],
    [
      'V is new',
      asked('1.1.0', ['1.0.0', '1.1.0'], { ...releasing, ...at('1.1.0'), canonical: canonical('1.0.0') }),
      'run 1.0.0 canonical',
    ],
    ['the first release', asked('1.0.0', ['1.0.0'], { ...releasing, ...at('1.0.0') }), 'na first-release'],
  ])('%s', (_, input, answer) => expect(answered(input)).toBe(answer));
});

describe('the decision: what may be used', () => {
  const tags = ['1.0.0', '1.1.0', '1.2.0'];
  const C = { canonical: canonical('1.1.0') };
  it.each<Row>([
    ['pin that is no tag', asked('1.3.0', tags, { pin: { version: '1.0.5' } }), 'error pin-not-a-release'],
    [
      'pin that is part of a version',
      asked('1.3.0', ['1.0.0+v2'], { pin: { version: '1.0.0' } }),
      'error pin-not-a-release',
    ],
    [
      'pin that is off the branch',
      asked('1.3.0', [...tags, tag('1.0.5', { reachable: false })], { pin: { version: '1.0.5' } }),
      'error pin-not-a-release',
    ],
    [
      'pin in two spellings on two commits',
      asked('1.3.0', [...tags, 'v1.0.0'], { pin: { version: '1.0.0' } }),
      'error pin-not-a-release',
    ],
    [
      'expired pin',
      asked('1.3.0', tags, { ...C, pin: { version: '1.0.0', until: '2026-06-14' } }),
      'run 1.1.0 canonical pin-stale canonical-lags:1',
    ],
    [
      'pin on its last day',
      asked('1.3.0', tags, { ...C, pin: { version: '1.0.0', until: '2026-06-15' } }),
      'run 1.0.0 pin',
    ],
    [
      'expired pin of no release is still wrong',
      asked('1.3.0', tags, { pin: { version: '1.0.5', until: '2020-01-01' } }),
      'error pin-not-a-release',
    ],
    [
      'V outside the range of the pin',
      asked('1.3.0', tags, { ...C, pin: { version: '1.0.0', for: '>=2' } }),
      'run 1.1.0 canonical pin-stale canonical-lags:1',
    ],
    [
      'V inside the range of the pin',
      asked('1.3.0', tags, { ...C, pin: { version: '1.0.0', for: '^1.3' } }),
      'run 1.0.0 pin',
    ],
    [
      'pin for a range, V without order',
      asked('x', tags, { ...C, pin: { version: '1.0.0', for: '^1.3' } }),
      'run 1.1.0 canonical-unordered pin-stale',
    ],
    ['pin newer than V', asked('1.1.0', tags, { pin: { version: '1.2.0' } }), 'error pin-newer-than-target'],
    [
      'pin no ancestor of a V without order',
      asked('x', ['1.0.0', tag('1.2.0', { ancestor: false })], { pin: { version: '1.2.0' } }),
      'error pin-newer-than-target',
    ],
    [
      'pin known broken',
      asked('1.3.0', tags, { ...broken('1.2.0'), pin: { version: '1.2.0' } }),
      'error pin-known-broken',
    ],
    [
      'pin is V',
      asked('1.2.0', tags, { ...C, pin: { version: '1.2.0' } }),
      'run 1.1.0 canonical pin-is-target label-already-released',
    ],
    [
      'pin is V in another spelling',
      asked('v1.2.0', tags, { ...C, pin: { version: '1.2.0' } }),
      'run 1.1.0 canonical pin-is-target label-already-released',
    ],
    [
      'pin on the commit of V',
      asked('1.3.0', tags, { ...C, pin: { version: '1.2.0' }, target: { commit: commitOf('1.2.0') } }),
      'run 1.1.0 canonical pin-is-target',
    ],
    [
      'pin with the tree of V',
      asked('1.3.0', tags, { ...C, pin: { version: '1.2.0' }, target: { tree: treeOf('1.2.0') } }),
      'run 1.1.0 canonical pin-is-target',
    ],
    [
      'C deleted',
      asked('1.3.0', tags, { canonical: canonical('1.1.5') }),
      'run 1.2.0 previous-release canonical-orphaned',
    ],
    [
      'C off the branch',
      asked('1.3.0', ['1.0.0', tag('1.1.0', { reachable: false })], C),
      'run 1.0.0 previous-release canonical-orphaned',
    ],
    [
      'C moved',
      asked('1.3.0', tags, { canonical: canonical('1.1.0', { commit: 'before' }) }),
      'run 1.2.0 previous-release canonical-tag-moved',
    ],
    [
      'C in two spellings on two commits',
      asked('1.3.0', [...tags, 'v1.1.0'], C),
      'run 1.2.0 previous-release canonical-ambiguous',
    ],
    [
      'C in two spellings on its commit',
      asked('1.3.0', [...tags, tag('v1.1.0', { commit: commitOf('1.1.0') })], C),
      'run 1.1.0 canonical canonical-lags:1',
    ],
    [
      'C known broken',
      asked('1.3.0', tags, { ...C, ...broken('1.1.0') }),
      'run 1.2.0 previous-release canonical-known-broken',
    ],
    [
      'C known broken by its tag',
      asked('1.3.0', ['app/v1.1.0', 'app/v1.0.0'], {
        pattern: 'app/v*',
        canonical: canonical('1.1.0', { tag: 'app/v1.1.0' }),
        ...broken('app/v1.1.0'),
      }),
      'run app/v1.0.0 previous-release canonical-known-broken',
    ],
    [
      'C deleted and V the first left',
      asked('1.0.0', ['1.0.0'], { ...at('1.0.0'), canonical: canonical('0.9.0') }),
      'na first-release canonical-orphaned',
    ],
  ])('%s', (_, input, answer) => expect(answered(input)).toBe(answer));
});

describe('the decision: the base', () => {
  const off = (name: string) => tag(name, { ancestor: false });
  it.each<Row>([
    [
      'valid pin',
      asked('3.1.0', ['3.0.0', '3.0.1'], { canonical: canonical('3.0.1'), pin: { version: '3.0.0' } }),
      'run 3.0.0 pin',
    ],
    [
      'pin that changes nothing',
      asked('3.1.0', ['3.0.0', '3.0.1'], { canonical: canonical('3.0.1'), pin: { version: '3.0.1' } }),
      'run 3.0.1 pin pin-redundant',
    ],
    [
      'pin to a prerelease',
      asked('3.1.0', ['3.0.0', '3.1.0-rc.1'], { pin: { version: '3.1.0-rc.1' } }),
      'run 3.1.0-rc.1 pin',
    ],
    [
      'untagged, C an ancestor',
      asked(undefined, ['1.0.0', '1.1.0'], { canonical: canonical('1.0.0') }),
      'run 1.0.0 untagged',
    ],
    [
      'untagged, C no ancestor',
      asked(undefined, ['1.0.0', '1.1.0', off('1.2.0')], { canonical: canonical('1.2.0') }),
      'run 1.1.0 untagged',
    ],
    [
      'untagged, no C',
      asked(undefined, ['1.0.0', '1.1.0', off('1.2.0'), '1.2.0-rc.1']),
      'run 1.1.0 untagged',
    ],
    [
      'untagged, C has the tree of the candidate',
      asked(undefined, ['1.0.0', '1.1.0'], {
        canonical: canonical('1.1.0'),
        target: { tree: treeOf('1.1.0') },
      }),
      'run 1.0.0 untagged',
    ],
    ['untagged, no ancestor', asked(undefined, [off('1.0.0')]), 'na no-release'],
    ['untagged, nothing released', asked(undefined, []), 'na no-release'],
    [
      'V without order, C an ancestor',
      asked('1.13.4_1', ['1.0.0'], { canonical: canonical('1.0.0') }),
      'run 1.0.0 canonical-unordered',
    ],
    [
      'V without order, C no ancestor',
      asked('1.13.4_1', [off('1.0.0')], { canonical: canonical('1.0.0') }),
      'na target-unparseable',
    ],
    [
      'V without order, on the commit of C',
      asked('1.13.4_1', ['1.0.0'], { canonical: canonical('1.0.0'), target: { commit: commitOf('1.0.0') } }),
      'na target-unparseable',
    ],
    [
      'V without order, with the tree of C',
      asked('1.13.4_1', ['1.0.0'], { canonical: canonical('1.0.0'), target: { tree: treeOf('1.0.0') } }),
      'na target-unparseable',
    ],
    ['V without order, no C', asked('1.13.4_1', ['1.0.0']), 'na target-unparseable'],
    [
      'C < V, C on the commit of V',
      asked('1.2.0', ['1.0.0', '1.1.0'], {
        canonical: canonical('1.1.0'),
        target: { commit: commitOf('1.1.0') },
      }),
      'run 1.0.0 samecommit-step-back',
    ],
    [
      'C < V, C with the tree of V',
      asked('1.2.0', ['1.0.0', '1.1.0'], {
        canonical: canonical('1.1.0'),
        target: { tree: treeOf('1.1.0') },
      }),
      'run 1.0.0 samecommit-step-back',
    ],
    [
      'C < V by build, on its commit, nothing before',
      asked('1.1.0+v2', ['1.1.0+v1'], {
        canonical: canonical('1.1.0+v1'),
        target: { commit: commitOf('1.1.0+v1') },
      }),
      'na no-usable-older',
    ],
    ['C < V', asked('1.2.0', ['1.0.0', '1.1.0'], { canonical: canonical('1.1.0') }), 'run 1.1.0 canonical'],
    [
      'C < V, releases between were not promoted',
      asked('1.4.0', ['1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0-rc.1'], { canonical: canonical('1.1.0') }),
      'run 1.1.0 canonical canonical-lags:2',
    ],
    [
      'C < V, V a prerelease',
      asked('2.0.0-rc.1', ['1.0.0'], { canonical: canonical('1.0.0') }),
      'run 1.0.0 canonical crosses-major',
    ],
    [
      "C's build lower",
      asked('3.0.1+v2.0.1', ['3.0.1+v2.0.0'], { canonical: canonical('3.0.1+v2.0.0') }),
      'run 3.0.1+v2.0.0 canonical-older-build',
    ],
    [
      "C's build lower, numbers as numbers",
      asked('3.0.1+v10.0.0', ['3.0.1+v2.0.0'], { canonical: canonical('3.0.1+v2.0.0') }),
      'run 3.0.1+v2.0.0 canonical-older-build',
    ],
    [
      'V = C',
      asked('1.1.0', ['1.0.0', '1.1.0'], { canonical: canonical('1.1.0') }),
      'run 1.0.0 samever-step-back',
    ],
    [
      'V = C, nothing older',
      asked('1.1.0', ['1.1.0'], { canonical: canonical('1.1.0') }),
      'na no-older-release',
    ],
    [
      'V = C in another spelling',
      asked('v1.1.0', ['1.0.0', '1.1.0'], { canonical: canonical('1.1.0') }),
      'run 1.0.0 samever-spelling',
    ],
    [
      'V = C in another spelling of the build',
      asked('1.1.0+2', ['1.0.0', '1.1.0+v2'], { canonical: canonical('1.1.0+v2') }),
      'run 1.0.0 samever-spelling',
    ],
    [
      "V's build lower",
      asked('1.1.0+v1', ['1.0.0', '1.1.0+v2'], { canonical: canonical('1.1.0+v2') }),
      'run 1.0.0 version-regressed-build',
    ],
    [
      "V's build absent",
      asked('1.1.0', ['1.0.0', '1.1.0+v2'], { canonical: canonical('1.1.0+v2') }),
      'run 1.0.0 version-regressed-build',
    ],
    [
      'V < C',
      asked('1.0.5', ['1.0.0', '1.1.0'], { canonical: canonical('1.1.0') }),
      'run 1.0.0 version-regressed',
    ],
    [
      'V the prerelease of C',
      asked('1.1.0-rc.1', ['1.0.0', '1.1.0'], { canonical: canonical('1.1.0') }),
      'run 1.0.0 version-regressed',
    ],
    ['no C', asked('1.2.0', ['1.0.0', '1.1.0']), 'run 1.1.0 previous-release'],
    [
      'no C, only a prerelease of the same core',
      asked('1.2.0-rc.2', ['1.0.0', '1.2.0-rc.1']),
      'run 1.2.0-rc.1 previous-release',
    ],
    ['no release at all', asked('1.0.0', []), 'na no-release'],
    ['no release that parses', asked('1.0.0', ['0.9']), 'na no-release'],
    ['first release', asked('1.0.0', ['1.0.0', '1.1.0'], at('1.0.0')), 'na first-release'],
    [
      'first release, seen from an untagged commit',
      asked('1.0.0', ['1.0.0']),
      'na first-release label-already-released',
    ],
    ['nothing older', asked('0.9.0', ['1.0.0']), 'na no-older-release'],
    [
      'all older known broken',
      asked('1.2.0', ['1.0.0', '1.1.0'], broken('1.0.0', '1.1.0')),
      'na all-older-known-broken',
    ],
    ['older, none usable', asked('1.2.0', ['1.1.0-rc.1']), 'na no-usable-older'],
    [
      'older, broken and ambiguous',
      asked('1.2.0', ['1.1.0', '1.0.0', 'v1.0.0'], broken('1.1.0')),
      'na no-usable-older',
    ],
    [
      'older, the same tree',
      asked('1.2.0', ['1.1.0'], { target: { tree: treeOf('1.1.0') } }),
      'na no-usable-older',
    ],
  ])('%s', (_, input, answer) => expect(answered(input)).toBe(answer));
});

describe('notes', () => {
  it.each<Row>([
    [
      'V is released already',
      asked('1.1.0', ['1.0.0', '1.1.0']),
      'run 1.0.0 previous-release label-already-released',
    ],
    ['V is its own release', asked('1.1.0', ['1.0.0', '1.1.0'], at('1.1.0')), 'run 1.0.0 previous-release'],
    ['a major version is crossed', asked('2.0.0', ['1.0.0']), 'run 1.0.0 previous-release crosses-major'],
    ['a minor of 0.x is crossed', asked('0.2.0', ['0.1.0']), 'run 0.1.0 previous-release crosses-major'],
    ['1.0 after 0.x', asked('1.0.0', ['0.9.0']), 'run 0.9.0 previous-release crosses-major'],
    [
      'a known-broken entry of no release',
      asked('1.1.0', ['1.0.0'], broken('9.0.0')),
      'run 1.0.0 previous-release known-broken-unused',
    ],
    [
      'a known-broken entry without the build',
      asked('1.1.0', ['1.0.0+v2'], broken('1.0.0')),
      'run 1.0.0+v2 previous-release known-broken-unused',
    ],
    [
      'an expired known-broken entry does not count',
      asked('1.1.0', ['1.0.0'], { knownBroken: [{ version: '1.0.0', until: '2026-06-14' }] }),
      'run 1.0.0 previous-release known-broken-unused',
    ],
    [
      'a known-broken entry on its last day counts',
      asked('1.1.0', ['1.0.0'], { knownBroken: [{ version: '1.0.0', until: '2026-06-15' }] }),
      'na all-older-known-broken',
    ],
  ])('%s', (_, input, answer) => expect(answered(input)).toBe(answer));
});

describe('how far an upgrade may go', () => {
  const tags = ['1.0.0', '2.0.0', '2.4.0', '3.1.0', '3.0.0-rc.1'];
  it('refuses more than one major, and names the newest release of each between', () => {
    const input = asked('4.0.0', tags, { canonical: canonical('1.0.0') });
    expect(() => stepBack(input)).toThrow(
      'From the base 1.0.0 to 4.0.0 it is 3 major versions, more than 1; between them: 2.4.0, 3.1.0.',
    );
    expect(answered(input)).toBe('error base-too-old');
  });
  it.each<[name: string, version: string, base: string, most: number, answer: string]>([
    ['as many as allowed', '4.0.0', '1.0.0', 3, 'run 1.0.0 canonical crosses-major'],
    ['none allowed', '2.0.0', '1.0.0', 0, 'error base-too-old'],
    ['none allowed, none needed', '1.9.0', '1.0.0', 0, 'run 1.0.0 canonical'],
    ['minors of 0.x', '0.3.0', '0.1.0', 1, 'error base-too-old'],
    ['patches of 0.x', '0.1.9', '0.1.0', 0, 'run 0.1.0 canonical'],
    ['numbers beyond any bound', '90071992547409930.0.0', '90071992547409920.0.0', 9, 'error base-too-old'],
  ])('%s', (_, version, base, most, answer) => {
    expect(answered(asked(version, [base], { canonical: canonical(base), maxMajorStep: most }))).toBe(answer);
  });
  it('applies to a pin, too', () => {
    const input = asked('3.2.0', tags, { canonical: canonical('3.1.0'), pin: { version: '1.0.0' } });
    expect(answered(input)).toBe('error base-too-old');
  });
  it('is overcome by a pin', () => {
    const input = asked('3.2.0', tags, { canonical: canonical('1.0.0'), pin: { version: '2.4.0' } });
    expect(answered(input)).toBe('run 2.4.0 pin crosses-major');
    expect(stepBack(input).withoutPin).toEqual({ decision: 'error', reason: 'base-too-old' });
  });
});

describe('what the answer explains', () => {
  it('names every tag that is no base, with the reason', () => {
    const { rejected, considered } = stepBack(
      asked(
        '3.0.1+v2.0.0',
        [
          '1.13.4_1',
          tag('2.9.0', { reachable: false }),
          '2.8.0',
          'v2.8.0',
          '2.7.0',
          tag('2.6.0', { tree: 'tree of the candidate' }),
          '3.0.1+v2.0.0',
          '3.1.0',
          '3.0.1-rc.1',
          '2.5.0',
          '2.4.0',
        ],
        { knownBroken: [{ version: '2.7.0' }] },
      ),
    );
    expect(considered.map((release) => release.tag)).toEqual(['2.5.0', '2.4.0']);
    expect(Object.fromEntries(rejected.map(({ tag: name, reason }) => [name, reason]))).toEqual({
      '1.13.4_1': 'tag-unparseable',
      '2.9.0': 'tag-unreachable',
      '2.8.0': 'tag-ambiguous',
      'v2.8.0': 'tag-ambiguous',
      '2.7.0': 'tag-known-broken',
      '2.6.0': 'tag-is-target',
      '3.0.1+v2.0.0': 'tag-not-older',
      '3.1.0': 'tag-not-older',
      '3.0.1-rc.1': 'tag-prerelease',
    });
  });

  it('says what the answer would be without the pin', () => {
    const input = asked('1.2.0', ['1.0.0', '1.1.0'], {
      canonical: canonical('1.1.0'),
      pin: { version: '1.0.0' },
    });
    expect(stepBack(input).withoutPin).toMatchObject({
      decision: 'run',
      reason: 'canonical',
      base: { tag: '1.1.0' },
    });
  });
});

describe('a base without an image', () => {
  const tags = ['1.0.0', '1.1.0', '1.2.0', '1.3.0'];
  it('gives way to the next older release, and is listed', () => {
    const input = asked('1.4.0', tags, { withoutImage: ['1.3.0', '1.2.0'] });
    expect(answered(input)).toBe('run 1.1.0 previous-release');
    expect(stepBack(input).rejected).toEqual([
      { tag: '1.3.0', reason: 'base-image-missing' },
      { tag: '1.2.0', reason: 'base-image-missing' },
    ]);
  });
  it('never to a newer one: what was not promoted is no substitute for the canonical', () => {
    const input = asked('1.4.0', tags, { canonical: canonical('1.1.0'), withoutImage: ['1.1.0'] });
    expect(answered(input)).toBe('run 1.0.0 previous-release');
  });
  it('is no base where nothing older is left', () => {
    expect(answered(asked('1.4.0', ['1.3.0'], { withoutImage: ['1.3.0'] }))).toBe('na no-usable-older');
  });
});
