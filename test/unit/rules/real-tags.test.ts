import { describe, expect, it } from 'vitest';
import { stepBack } from '../../../src/rules/step-back.ts';
import { answered, asked, canonical, realTags, tag } from './facts.ts';

/** Where a real tag is, as the candidate. */
function at(list: string, branch: string, name: string): { commit: string; tree: string; tag: string } {
  const fact = realTags(list, branch).find((candidate) => candidate.name === name)!;
  return { commit: fact.commit!, tree: fact.tree!, tag: name };
}

describe('cert-manager: real tags, releases on release branches', () => {
  const ask = (branch: string, version: string, candidate?: string, more = {}) =>
    answered(
      asked(version, realTags('cert-manager', branch), {
        pattern: 'v*',
        ...(candidate === undefined ? {} : { target: at('cert-manager', branch, candidate) }),
        ...more,
      }),
    );

  it.each<[why: string, branch: string, version: string, candidate: string | undefined, answer: string]>([
    // v1.12.18 is the newest patch of a branch that was cut long ago. v1.21.1 is the newest tag of the repository,
    // and not on this branch: with it as base the "upgrade" would be a downgrade.
    [
      'a patch on an old branch starts from the patch before',
      'release-1.12',
      '1.12.18',
      undefined,
      'run v1.12.17 previous-release',
    ],
    // Numbers, not text: v1.12.9 is before v1.12.10.
    ['ten follows nine', 'release-1.12', '1.12.10', 'v1.12.10', 'run v1.12.9 previous-release'],
    // v1.12.0 was tagged on the very commit of v1.12.0-beta.2: that would upgrade to itself. v1.11.x are on a branch
    // of their own; the newest stable tag before it on this branch is v1.10.0.
    [
      'a release on the commit of its beta',
      'release-1.12',
      '1.12.0',
      'v1.12.0',
      'run v1.10.0 previous-release',
    ],
    // v1.20.3 is on release-1.20 only; what release-1.21 contains is v1.19.0, tagged before the branches were cut.
    [
      'a first minor starts from what its branch contains',
      'release-1.21',
      '1.21.0',
      'v1.21.0',
      'run v1.19.0 previous-release',
    ],
    ['its first patch starts from it', 'release-1.21', '1.21.1', 'v1.21.1', 'run v1.21.0 previous-release'],
    // A beta may start from the alphas of its own core, which are stable enough for it.
    [
      'a beta starts from the alpha before',
      'master',
      '1.21.0-beta.0',
      'v1.21.0-beta.0',
      'run v1.21.0-alpha.1 previous-release',
    ],
    // No prerelease is the base of a stable candidate, though v1.21.0-beta.0 is the newest tag on master.
    [
      'a stable release never starts from a prerelease',
      'master',
      '1.22.0',
      undefined,
      'run v1.19.0 previous-release',
    ],
  ])('%s', (_, branch, version, candidate, answer) => {
    expect(ask(branch, version, candidate)).toBe(answer);
  });

  it('leaves the tags of its sister module alone', () => {
    // `cmd/ctl/v1.12.10` is a Go module's tag, on another commit than v1.12.10.
    const input = asked('1.12.18', realTags('cert-manager', 'release-1.12'), { pattern: 'v*' });
    expect(stepBack(input).rejected.filter((entry) => entry.tag.startsWith('cmd/'))).toEqual([]);
    const other = asked('1.12.18', realTags('cert-manager', 'release-1.12'), { pattern: 'cmd/ctl/v*' });
    expect(answered(other)).toBe('run cmd/ctl/v1.12.17 previous-release');
  });

  it('skips in a release what is already canonical, and runs what is not', () => {
    const facts = { pattern: 'v*', context: 'release' as const };
    const tags = realTags('cert-manager', 'release-1.12');
    const C = (name: string) => ({
      version: name.slice(1),
      tag: name,
      commit: at('cert-manager', 'release-1.12', name).commit,
    });
    const of = (name: string, known: string) =>
      answered(
        asked(name.slice(1), tags, {
          ...facts,
          target: at('cert-manager', 'release-1.12', name),
          canonical: C(known),
        }),
      );
    expect(of('v1.12.17', 'v1.12.17')).toBe('skip no-new-version');
    expect(of('v1.12.17', 'v1.12.15')).toBe('run v1.12.15 canonical canonical-lags:1');
    expect(of('v1.12.15', 'v1.12.17')).toBe('skip canonical-ahead');
  });
});

describe('contour: real tags, hardly any of them on main', () => {
  it.each<[why: string, branch: string, version: string, candidate: string | undefined, answer: string]>([
    [
      'a patch starts from the patch before',
      'release-1.16',
      '1.16.1',
      'v1.16.1',
      'run v1.16.0 previous-release',
    ],
    // The tags of the other release branches are not before it: all that release-1.16 contains is v1.2.0.
    ['a first minor', 'release-1.16', '1.16.0', 'v1.16.0', 'run v1.2.0 previous-release'],
    ['the newest patch', 'release-1.33', '1.33.6', 'v1.33.6', 'run v1.33.5 previous-release'],
  ])('%s', (_, branch, version, candidate, answer) => {
    const target = candidate === undefined ? {} : { target: at('contour', branch, candidate) };
    expect(answered(asked(version, realTags('contour', branch), { pattern: 'v*', ...target }))).toBe(answer);
  });
});

describe('Nextcloud: the real tags of its chart, with a prefix', () => {
  const tags = realTags('nextcloud-helm', 'main');
  const ask = (version: string, candidate?: string, more = {}) =>
    answered(
      asked(version, tags, {
        pattern: 'nextcloud-*',
        ...(candidate === undefined ? {} : { target: at('nextcloud-helm', 'main', candidate) }),
        ...more,
      }),
    );
  it.each<[why: string, version: string, candidate: string | undefined, answer: string]>([
    ['the next release starts from the newest', '9.3.0', undefined, 'run nextcloud-9.2.4 previous-release'],
    [
      'a released one starts from the one before',
      '9.2.4',
      'nextcloud-9.2.4',
      'run nextcloud-9.2.3 previous-release',
    ],
    // 8.9.1 is the last of 8.x: crossing a major is said, not skipped.
    ['a major', '9.0.0', 'nextcloud-9.0.0', 'run nextcloud-8.9.1 previous-release crosses-major'],
    ['8.5.10 is after 8.5.9', '8.6.0', 'nextcloud-8.6.0', 'run nextcloud-8.5.10 previous-release'],
    // 2.0.0 to 2.0.2 are on a branch that is gone; nothing on main is older.
    ['the oldest', '2.0.0', undefined, 'na no-older-release'],
    ['two majors at once', '11.0.0', undefined, 'error base-too-old'],
  ])('%s', (_, version, candidate, answer) => expect(ask(version, candidate)).toBe(answer));

  it('steps back from a reused label', () => {
    const known = at('nextcloud-helm', 'main', 'nextcloud-9.2.4');
    expect(
      ask('9.2.4', undefined, {
        canonical: { version: '9.2.4', tag: 'nextcloud-9.2.4', commit: known.commit },
      }),
    ).toBe('run nextcloud-9.2.3 samever-step-back');
  });
});

describe('renovate: 12,129 real tags, first with v and then without', () => {
  const main = realTags('renovate', 'main');
  it.each<[why: string, version: string, answer: string]>([
    // Tags begin with `v` up to v11.35.4 and without from 11.35.5 on: both spellings are versions of one line.
    ['the first without v starts from the last with it', '11.35.5', 'run v11.35.4 previous-release'],
    ['a v candidate finds tags without', 'v13.0.1', 'run 13.0.0 previous-release'],
    ['the newest', '99.0.0', 'error base-too-old'],
    // 40.0.0-next.N are prereleases, and 39.264.1 was tagged on a hotfix branch that never came back.
    ['prereleases are no base', '40.0.0', 'run 39.264.0 previous-release crosses-major'],
  ])('%s', (_, version, answer) => {
    const input = asked(version, main, { target: { commit: 'untagged', tree: 'untagged' } });
    expect(answered(input).replace(' label-already-released', '')).toBe(answer);
  });

  it('keeps a maintenance line to itself', () => {
    // The pattern holds the beginning of the version. 43.x is on main, and newer; 42.99.0 is the line's last.
    const tags = realTags('renovate', 'maint/42.x');
    expect(answered(asked('42.100.0', tags, { pattern: '42.*' }))).toBe('run 42.99.0 previous-release');
  });
});

describe('Co-op Cloud: recipe version + upstream version', () => {
  const bonfire = realTags('bonfire', 'main');
  it.each<[why: string, version: string, answer: string]>([
    ['the next release', '2.0.2+1.0.6-social-amd64', 'run 2.0.1+1.0.6-social-amd64 previous-release'],
    [
      'only the upstream part moved',
      '2.0.1+1.0.7-social-amd64',
      'run 2.0.1+1.0.6-social-amd64 previous-release',
    ],
    // 1.0.5 was packaged twice: the recipe version decides.
    [
      'a major of the recipe',
      '2.0.0+1.0.5-social-amd64',
      'run 1.0.0+1.0.5-social-amd64 previous-release label-already-released crosses-major',
    ],
    ['the first', '1.0.0+1.0.5-social-amd64', 'na first-release label-already-released'],
  ])('bonfire: %s', (_, version, answer) => expect(answered(asked(version, bonfire))).toBe(answer));

  it.each<[why: string, tags: string[], version: string, answer: string]>([
    [
      '1.31.1 is after 1.29.0',
      ['1.11.0+1.29.0', '1.10.0+1.28.0'],
      '1.13.0+1.31.1',
      'run 1.11.0+1.29.0 previous-release',
    ],
    [
      '10.7.1 is after 9.x',
      ['9.9.9+99.0.0', '10.7.1+26.6.2'],
      '10.8.0+26.6.3',
      'run 10.7.1+26.6.2 previous-release',
    ],
    [
      '3.0.10 is after 3.0.9',
      ['3.0.9+1.10.2', '3.0.8+1.10.2'],
      '3.0.10+1.10.3',
      'run 3.0.9+1.10.2 previous-release',
    ],
    [
      'fpm builds',
      ['5.0.2+26.0.1-fpm', '5.0.1+26.0.0-fpm'],
      '5.0.3+27.0.1-fpm',
      'run 5.0.2+26.0.1-fpm previous-release',
    ],
    [
      'an upstream part of two numbers',
      ['0.1.0+v0.3', '0.1.1+v0.4'],
      '0.1.2+v0.4',
      'run 0.1.1+v0.4 previous-release',
    ],
    // Tags of the scheme before this one: `_1` is no version, and `-rootless` reads as a prerelease. Neither stops us.
    [
      'tags of the older scheme',
      ['1.13.4_1', '1.14.1-rootless', '1.14.1-rootless_1', '2.0.0+1.20.1'],
      '2.1.0+1.21.0',
      'run 2.0.0+1.20.1 previous-release',
    ],
    ['nothing but the older scheme', ['1.13.4_1', '1.14.1-rootless_1'], '2.0.0+1.20.1', 'na no-release'],
    [
      'nothing but the older scheme, some of it readable',
      ['1.13.4_1', '1.14.1-rootless'],
      '2.0.0+1.20.1',
      'na no-usable-older',
    ],
  ])('%s', (_, tags, version, answer) => expect(answered(asked(version, tags))).toBe(answer));
});

describe('failures that shipped elsewhere', () => {
  it('contour tested the upgrade from 1.16 to 1.16', () => {
    // The script took the newest release tag as base while the candidate still carried that version.
    const tags = realTags('contour', 'release-1.16');
    const target = at('contour', 'release-1.16', 'v1.16.0');
    const known = { version: '1.16.0', tag: 'v1.16.0', commit: target.commit };
    for (const input of [
      asked('1.16.0', tags, { pattern: 'v*', target }),
      asked('1.16.0', tags, { pattern: 'v*', target, canonical: known }),
      asked('1.16.0', tags, { pattern: 'v*', canonical: known }),
      asked('v1.16.0', tags, { pattern: 'v*', canonical: known, pin: { version: '1.16.0' } }),
    ]) {
      const { base } = stepBack(input);
      // v1.16.1 came later, and no other release branch was merged into this one.
      expect(base?.tag).toBe('v1.2.0');
      expect(base?.commit).not.toBe(target.commit);
    }
    expect(
      answered(asked('1.16.0', tags, { pattern: 'v*', target, canonical: known, context: 'release' })),
    ).toBe('skip no-new-version');
  });

  it('cert-manager "upgraded" a release branch downwards, and passed', () => {
    // Tags were taken from the whole repository: on release-1.12 the newest was one of 1.20.
    const everywhere = realTags('cert-manager', 'release-1.12').map((fact) => ({ ...fact, reachable: true }));
    const wrong = stepBack(asked('1.12.18', everywhere, { pattern: 'v*' }));
    expect(wrong.base?.tag).toBe('v1.12.17');
    // Even with all tags at hand nothing newer is a base; with an untagged candidate, only ancestors are.
    const untagged = stepBack(asked(undefined, everywhere, { pattern: 'v*' }));
    expect(untagged.base?.tag).toBe('v1.12.17');
    const right = stepBack(asked(undefined, realTags('cert-manager', 'release-1.12'), { pattern: 'v*' }));
    expect(right.base?.tag).toBe('v1.12.17');
    expect(right.rejected).toContainEqual({ tag: 'v1.20.3', reason: 'tag-unreachable' });
  });

  it('cert-manager chose a prerelease as base', () => {
    // On master the newest tag before 1.21.0 was v1.21.0-beta.0.
    const tags = realTags('cert-manager', 'master');
    const answer = stepBack(asked('1.21.0', tags, { pattern: 'v*' }));
    expect(answer.base?.tag).toBe('v1.19.0');
    expect(answer.rejected).toContainEqual({ tag: 'v1.21.0-beta.0', reason: 'tag-prerelease' });
  });
});

describe('plausible: canonical 3.0.1, and 3.0.0 does not start on amd64', () => {
  const tags = ['2.0.0+v1.5.1', '2.1.0+v1.5.1', '3.0.0+v2.0.0', '3.0.1+v2.0.0'];
  const C = canonical('3.0.1+v2.0.0');
  const knownBroken = [{ version: '3.0.0+v2.0.0', reason: 'upstream entrypoint is gone on amd64' }];

  it('without the entry steps back to the broken release, and lists the others', () => {
    const answer = stepBack(asked('3.0.1+v2.0.0', tags, { canonical: C }));
    expect([answer.reason, answer.base?.tag]).toEqual(['samever-step-back', '3.0.0+v2.0.0']);
    expect(answer.considered.map((release) => release.tag)).toEqual([
      '3.0.0+v2.0.0',
      '2.1.0+v1.5.1',
      '2.0.0+v1.5.1',
    ]);
  });
  it('with the entry steps back to the newest older good one', () => {
    const answer = stepBack(asked('3.0.1+v2.0.0', tags, { canonical: C, knownBroken }));
    expect([answer.reason, answer.base?.tag]).toEqual(['samever-step-back', '2.1.0+v1.5.1']);
    expect(answer.rejected).toContainEqual({ tag: '3.0.0+v2.0.0', reason: 'tag-known-broken' });
  });
  it.each([
    ['without the entry', [], 'run 3.0.0+v2.0.0 previous-release'],
    ['with the entry', knownBroken, 'run 2.1.0+v1.5.1 previous-release crosses-major'],
  ])('on its first promotion likewise, %s', (_, entries, answer) => {
    const own = tag('3.0.1+v2.0.0');
    const input = asked('3.0.1+v2.0.0', tags, {
      context: 'release',
      knownBroken: entries,
      target: { commit: own.commit!, tree: own.tree!, tag: own.name },
    });
    expect(answered(input)).toBe(answer);
  });
  it('with a pin on the candidate itself does not upgrade it to itself', () => {
    expect(answered(asked('3.0.1+v2.0.0', tags, { knownBroken, pin: { version: '3.0.1+v2.0.0' } }))).toBe(
      'run 2.1.0+v1.5.1 previous-release pin-is-target label-already-released crosses-major',
    );
  });
  it('shows for the next version that the pin can go', () => {
    expect(answered(asked('3.1.0+v3.0.0', tags, { canonical: C, pin: { version: '3.0.1+v2.0.0' } }))).toBe(
      'run 3.0.1+v2.0.0 pin pin-redundant',
    );
  });
  it('has nothing to upgrade from where all older ones are broken, and says so', () => {
    const none = ['3.0.0+v2.0.0', '3.0.1+v2.0.0'];
    expect(answered(asked('3.0.1+v2.0.0', none, { canonical: C, knownBroken }))).toBe(
      'na all-older-known-broken',
    );
  });
});
