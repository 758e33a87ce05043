import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../../src/oci/digest.ts';
import type { ReasonCode } from '../../../../src/reasons.ts';
import { reasons } from '../../../../src/reasons.ts';
import type { Verdict } from '../../../../src/rules/gate/condition.ts';
import { conditions } from '../../../../src/rules/gate/conditions.ts';
import { evaluateGate } from '../../../../src/rules/gate/evaluate.ts';
import type { Sighting, Snapshot } from '../../../../src/rules/gate/snapshot.ts';
import {
  baseCommit,
  type Changes,
  commit,
  digest,
  image,
  labels,
  now,
  otherCommit,
  promotable,
  provenance,
} from './promotable.ts';

const later = new Date(now + 1000).toISOString();
const away = { unanswered: 'registry ghcr.io: 503' } as const;
const upgradeNa = (reason: string) => [
  { name: 'install', verdict: 'pass' as const },
  { name: 'upgrade', verdict: 'na' as const, reason },
];

/** The run log's line about the test of this run; what is given differs from the evidence. */
const logged = (more: Partial<Sighting>): Sighting => ({
  version: '1.1.0',
  commit,
  seen: '2026-03-01T11:50:00Z',
  finishedAt: '2026-03-01T11:59:00Z',
  verdict: 'green',
  run: 'run-7',
  ...more,
});

/** What breaks one condition, and which rows no longer pass because of it. The first row is the condition's own. */
type Row = readonly [
  code: ReasonCode,
  what: string,
  changes: Changes,
  verdict: Verdict,
  others?: readonly ReasonCode[],
];

const alone: readonly Row[] = [
  ['not-green', 'the test was red', { evidence: { verdict: 'red' } }, 'permanent'],
  ['not-green', 'the test was inconclusive', { evidence: { verdict: 'inconclusive' } }, 'permanent'],
  [
    'not-green',
    'a tier failed whatever the verdict says',
    {
      evidence: {
        tiers: [
          { name: 'install', verdict: 'pass' },
          { name: 'upgrade', verdict: 'fail' },
        ],
      },
    },
    'permanent',
  ],
  [
    'not-green',
    'a required tier did not run',
    { config: { tiers: ['install', 'upgrade', 'backup'] } },
    'permanent',
  ],
  [
    'not-green',
    'nothing passed',
    {
      evidence: {
        tiers: [
          { name: 'install', verdict: 'na', reason: 'x' },
          { name: 'upgrade', verdict: 'na', reason: 'x' },
        ],
      },
      config: { expectedNa: { install: 'x', upgrade: 'x' } },
    },
    'permanent',
  ],
  [
    'not-green',
    'nothing was tested',
    { evidence: 'none' },
    'permanent',
    ['evidence-unbound', 'platform-untested'],
  ],
  [
    'tier-na-undeclared',
    'nobody declared that there is no older release',
    { evidence: { tiers: upgradeNa('no-older-release') } },
    'permanent',
  ],
  [
    'tier-na-undeclared',
    'a run says that it was expected, the branch does not',
    { evidence: { tiers: upgradeNa('expected-na') } },
    'permanent',
  ],
  [
    'tier-na-undeclared',
    'the tier was not asked for, and the branch asks for it',
    { evidence: { tiers: upgradeNa('not-requested') } },
    'permanent',
  ],
  [
    'tier-na-undeclared',
    'the test says that it is the first release, and git has older ones',
    { evidence: { tiers: upgradeNa('first-release') } },
    'permanent',
  ],
  ['not-cold', 'volumes were reused', { evidence: { cold: false } }, 'permanent'],
  [
    'not-latest',
    'a newer release exists',
    { releases: { latest: { version: '1.2.0', tag: '1.2.0', commit: otherCommit } } },
    'permanent',
  ],
  [
    'not-latest',
    'only the build is older',
    { releases: { latest: { version: '1.1.0+v2', tag: '1.1.0+v2', commit: otherCommit } } },
    'permanent',
  ],
  ['not-enrolled', 'its file says so', { config: { enrolled: false } }, 'permanent'],
  ['not-tagged', 'the remote has no such tag', { releases: { tag: undefined } }, 'permanent'],
  [
    'commit-tag-mismatch',
    'another commit is checked out',
    { candidate: { checkout: otherCommit } },
    'permanent',
  ],
  [
    'commit-tag-mismatch',
    'another commit was checked out in the test',
    { evidence: { checkout: otherCommit } },
    'permanent',
  ],
  ['tree-dirty', 'a file changed', { candidate: { dirty: ['compose.yml'] } }, 'permanent'],
  ['tree-dirty', 'the tree is not the tag’s', { candidate: { tree: 'b'.repeat(40) } }, 'permanent'],
  ['tree-dirty', 'the tested tree is not the tag’s', { evidence: { tree: 'b'.repeat(40) } }, 'permanent'],
  [
    'tag-moved',
    'a test saw the version elsewhere',
    { ledger: { sightings: [{ version: 'v1.1.0', commit: otherCommit, seen: '2026-02-01T00:00:00Z' }] } },
    'permanent',
  ],
  ['commit-not-on-branch', 'a tag on a side branch', { releases: { onBranch: false } }, 'permanent'],
  [
    'label-tag-mismatch',
    'the tree says another version',
    { top: { stated: { known: [{ place: 'compose.yml:4', version: '1.0.0' }] } } },
    'permanent',
  ],
  [
    'label-tag-mismatch',
    'one of two places says another version',
    {
      top: {
        stated: {
          known: [
            { place: 'a:1', version: '1.1.0' },
            { place: 'b:1', version: 'dev' },
          ],
        },
      },
    },
    'permanent',
  ],
  ['would-demote', 'the canonical is newer', { record: { version: '1.1.0+v1' } }, 'permanent'],
  [
    'would-demote',
    'the canonical is this version on another digest',
    { record: { version: '1.1.0', commit } },
    'permanent',
  ],
  ['would-demote', 'the canonical has no order', { record: { version: 'edge' } }, 'permanent'],
  [
    'digest-mismatch',
    'another digest was tested',
    { evidence: { subject: { [image]: digestOf('x') } } },
    'permanent',
  ],
  [
    'digest-mismatch',
    'the image says another commit',
    {
      image: {
        content: {
          known: {
            platforms: ['linux/amd64'],
            labels: [{ ...labels, 'org.opencontainers.image.revision': otherCommit }],
          },
        },
      },
    },
    'permanent',
  ],
  [
    'digest-mismatch',
    'one platform says another version',
    {
      evidence: { testedPlatforms: ['linux/amd64', 'linux/arm64'] },
      image: {
        content: {
          known: {
            platforms: ['linux/amd64', 'linux/arm64'],
            labels: [labels, { ...labels, 'org.opencontainers.image.version': '1.0.0' }],
          },
        },
      },
    },
    'permanent',
  ],
  [
    'digest-mismatch',
    'the image says no version',
    {
      image: {
        content: {
          known: { platforms: ['linux/amd64'], labels: [{ 'org.opencontainers.image.revision': commit }] },
        },
      },
    },
    'permanent',
  ],
  [
    'digest-mismatch',
    'the released digest has the same content and was not tested',
    { image: { destination: { known: { tag: '1.1.0', current: digestOf('other'), sameContent: true } } } },
    'permanent',
  ],
  [
    'dest-tag-conflict',
    'the tag has other content',
    { image: { destination: { known: { tag: '1.1.0', current: digestOf('other'), sameContent: false } } } },
    'permanent',
  ],
  [
    'source-missing',
    'the digest is gone',
    { image: { content: { known: undefined } } },
    'permanent',
    ['platform-missing'],
  ],
  [
    'platform-missing',
    'a required platform is not there',
    {
      policy: { platforms: ['linux/amd64', 'linux/arm64'] },
      evidence: { testedPlatforms: ['linux/amd64', 'linux/arm64'] },
    },
    'permanent',
  ],
  [
    'platform-untested',
    'the platform of the image was not tested',
    { evidence: { testedPlatforms: [] } },
    'permanent',
  ],
  ['evidence-unbound', 'another CI run tested', { evidence: { run: 'run-6' } }, 'permanent'],
  [
    'evidence-unbound',
    'another CI run tested, signed, and something else',
    { top: { evidenceBy: 'a key' }, evidence: { run: 'run-6', commit: otherCommit } },
    'permanent',
    ['commit-tag-mismatch'],
  ],
  ['evidence-unbound', 'another recipe was tested', { evidence: { recipe: 'other' } }, 'permanent'],
  ['evidence-unbound', 'another version was tested', { evidence: { version: '1.0.0' } }, 'permanent'],
  [
    'evidence-unbound',
    'the run log says that this run was red',
    { ledger: { sightings: [logged({ verdict: 'red' })] } },
    'permanent',
  ],
  [
    'evidence-unbound',
    'the run log says that another digest ran',
    { ledger: { sightings: [logged({ subject: { [image]: digestOf('another') } })] } },
    'permanent',
  ],
  [
    'evidence-unbound',
    'the run log says that a tier did not pass',
    { ledger: { sightings: [logged({ tiers: { install: 'pass', upgrade: 'na' } })] } },
    'permanent',
  ],
  [
    'evidence-unbound',
    'the run log knows no test of this run that ended then',
    { ledger: { sightings: [logged({ finishedAt: '2026-03-01T11:58:00Z' })] } },
    'permanent',
  ],
  ['evidence-unbound', 'no harness is named', { evidence: { harness: '' } }, 'permanent'],
  [
    'evidence-unbound',
    'nothing says what ran',
    { evidence: { subject: {} } },
    'permanent',
    ['digest-mismatch'],
  ],
  [
    'evidence-unbound',
    'a tag was tested, not a digest',
    { evidence: { subject: { [image]: 'edge' } } },
    'permanent',
    ['digest-mismatch'],
  ],
  [
    'evidence-untrusted',
    'the candidate’s commands ran on the host',
    { evidence: { commands: 'untrusted-host' } },
    'permanent',
  ],
  ['evidence-stale', 'the test is too old', { policy: { maxEvidenceAgeMs: 1000 } }, 'temporary'],
  ['evidence-stale', 'the test has no time', { evidence: { finishedAt: 'yesterday' } }, 'temporary'],
  [
    'evidence-stale',
    'the test is from the future',
    { evidence: { finishedAt: '2027-01-01T00:00:00Z' } },
    'temporary',
  ],
  ['evidence-from-change', 'a pull request was tested', { evidence: { context: 'change' } }, 'permanent'],
  ['evidence-from-change', 'this run is of a change', { top: { context: 'change' } }, 'permanent'],
  [
    'evidence-superseded',
    'a later test failed',
    {
      ledger: {
        sightings: [
          {
            version: '1.1.0',
            commit,
            seen: '2026-03-01T11:00:00Z',
            finishedAt: later,
            verdict: 'red',
            run: 'run-8',
          },
        ],
      },
    },
    'permanent',
  ],
  [
    'same-version-upgrade',
    'the base is the candidate',
    { evidence: { base: { version: '1.1.0', tag: '1.1.0', commit, reason: 'pin' } } },
    'permanent',
  ],
  [
    'same-version-upgrade',
    'the base is newer',
    { evidence: { base: { version: '2.0.0', tag: '2.0.0', commit: baseCommit, reason: 'pin' } } },
    'permanent',
  ],
  ['same-version-upgrade', 'the base is no release', { releases: { base: undefined } }, 'permanent'],
  [
    'same-version-upgrade',
    'the base is on another commit',
    { evidence: { base: { version: '1.0.0', tag: '1.0.0', commit: otherCommit, reason: 'pin' } } },
    'permanent',
  ],
  ['upgrade-no-effect', 'nothing changed', { evidence: { effect: false } }, 'permanent'],
  ['soaking', 'the release is too young', { policy: { minAgeMs: 3600_000 } }, 'temporary'],
  [
    'held',
    'the version is bad',
    { record: { hold: { bad: ['v1.1.0'], until: 'newer', reason: 'broken' } } },
    'permanent',
  ],
  [
    'held',
    'everything newer is held',
    { record: { hold: { bad: ['1.0.9'], until: 'manual', reason: 'broken' } } },
    'permanent',
  ],
  [
    'signature-missing',
    'nobody signed',
    { verification: { asked: true, signed: [], invalid: [], contradictions: [], strangers: 3 } },
    'permanent',
  ],
  [
    'signature-missing',
    'something else is signed',
    {
      verification: {
        asked: true,
        signed: ['https://example.org/test/v1'],
        invalid: [],
        contradictions: [],
        strangers: 0,
      },
    },
    'permanent',
  ],
  ['signature-missing', 'no policy says who counts', { verification: { asked: false } }, 'permanent'],
  [
    'signature-invalid',
    'a signature is broken',
    {
      verification: { asked: true, signed: [provenance], invalid: ['bad'], contradictions: [], strangers: 0 },
    },
    'permanent',
  ],
  [
    'signature-invalid',
    'a signature is broken, and none is required',
    {
      policy: { signature: false, provenance: false },
      verification: { asked: true, signed: [], invalid: ['bad'], contradictions: [], strangers: 0 },
    },
    'permanent',
  ],
  [
    'provenance-mismatch',
    'the provenance names another commit',
    {
      verification: {
        asked: true,
        signed: [provenance],
        invalid: [],
        contradictions: ['commit'],
        strangers: 0,
      },
    },
    'permanent',
  ],
  [
    'require-lowered',
    'signatures were required',
    { policy: { signature: false, provenance: false }, record: { required: { signature: true } } },
    'permanent',
  ],
  [
    'require-lowered',
    'a platform was required',
    { record: { required: { platforms: ['linux/arm64'] } } },
    'permanent',
  ],
  [
    'require-lowered',
    'a higher age was required',
    { record: { required: { minAgeSeconds: 3600 } } },
    'permanent',
  ],
  [
    'recipe-owner-mismatch',
    'another repository',
    { record: { repository: 'evil.example.org/app' } },
    'permanent',
  ],
  [
    'recipe-owner-mismatch',
    'another image',
    { record: { images: { 'ghcr.io/other/app': digest } } },
    'permanent',
  ],
  [
    'recipe-owner-mismatch',
    'a compose application before',
    { record: { kind: 'compose', images: {} } },
    'permanent',
  ],
  [
    'concurrent-promotion',
    'another run promotes',
    { ledger: { underWay: { version: '1.0.5', run: 'run-6', expires: later } } },
    'temporary',
  ],
  [
    'cannot-determine',
    'the registry did not say what the digest is',
    { image: { content: away } },
    'unknown',
    ['digest-mismatch', 'source-missing', 'platform-missing', 'platform-untested'],
  ],
  [
    'cannot-determine',
    'the registry did not say where the tag is',
    { image: { destination: away } },
    'unknown',
    ['dest-tag-conflict'],
  ],
  ['cannot-determine', 'floating tags could not be looked up', { top: { floating: away } }, 'unknown'],
  [
    'cannot-determine',
    'tags could not be listed',
    { top: { releases: away } },
    'unknown',
    [
      'not-latest',
      'not-tagged',
      'commit-tag-mismatch',
      'tree-dirty',
      'commit-not-on-branch',
      'same-version-upgrade',
    ],
  ],
  [
    'cannot-determine',
    'the configuration could not be read',
    { top: { config: away } },
    'unknown',
    ['not-green', 'not-enrolled'],
  ],
  [
    'cannot-determine',
    'the ledger did not answer',
    { top: { ledger: away } },
    'unknown',
    [
      'tag-moved',
      'would-demote',
      'evidence-unbound',
      'evidence-superseded',
      'soaking',
      'held',
      'require-lowered',
      'recipe-owner-mismatch',
      'concurrent-promotion',
    ],
  ],
  [
    'cannot-determine',
    'attestations could not be fetched',
    { top: { verification: away } },
    'unknown',
    ['signature-missing', 'signature-invalid', 'provenance-mismatch'],
  ],
  [
    'cannot-determine',
    'the version in the tree is not known',
    { top: { stated: away } },
    'unknown',
    ['label-tag-mismatch'],
  ],
];

const failingRows = (snapshot: Snapshot): readonly string[] =>
  evaluateGate(snapshot)
    .rows.filter(({ verdict }) => verdict !== 'pass' && verdict !== 'n/a')
    .map(({ code }) => code)
    .sort();

describe('the gate', () => {
  it('passes a release of which every condition holds, and has a row for each', () => {
    const result = evaluateGate(promotable());
    expect(result.rows.filter(({ verdict }) => verdict !== 'pass' && verdict !== 'n/a')).toEqual([]);
    expect(result.verdict).toBe('pass');
    expect(result.failing).toEqual([]);
    expect(result.rows.map(({ code }) => code)).toEqual(conditions.map(({ code }) => code));
  });

  const rows = alone.map(([code, what, changes, verdict, others = []]) => ({
    code,
    what,
    changes,
    verdict,
    others,
  }));
  it.each(rows)('$code: $what', ({ code, changes, verdict, others }) => {
    const result = evaluateGate(promotable(changes));
    const row = result.rows.find((each) => each.code === code);
    expect(row?.verdict).toBe(verdict);
    expect(row?.found).not.toBe('');
    expect(row?.remedy).not.toBe('');
    expect(failingRows(promotable(changes))).toEqual([code, ...others].sort());
    expect(result.verdict).toBe(verdict);
    expect(result.failing).toContain(code);
    // What could not be looked at has not failed, and is never named as if it had.
    if (verdict === 'unknown') expect(result.failing).toEqual([code]);
  });

  it('takes the test of another run where a signer of the policy signed it', () => {
    const earlier = { evidence: { run: 'run-6' } };
    expect(evaluateGate(promotable(earlier)).failing).toEqual(['evidence-unbound']);
    expect(evaluateGate(promotable({ ...earlier, top: { evidenceBy: 'a key' } })).verdict).toBe('pass');
  });

  it('has a row in this table for every condition, and a condition for every row', () => {
    expect([...new Set(alone.map(([code]) => code))].sort()).toEqual(
      conditions.map(({ code }) => code).sort(),
    );
  });

  it('names every failure when all conditions fail together', () => {
    const hostile = promotable({
      top: {
        context: 'change',
        stated: { known: [{ place: 'a', version: '9.9.9' }] },
        floating: away,
      },
      policy: { platforms: ['linux/riscv64'], minAgeMs: 1e9, maxEvidenceAgeMs: 1 },
      candidate: { checkout: otherCommit, dirty: ['x'] },
      evidence: {
        verdict: 'red',
        run: 'run-6',
        cold: false,
        commands: 'untrusted-host',
        context: 'change',
        effect: false,
        subject: { [image]: digestOf('x') },
        testedPlatforms: [],
        tiers: [
          { name: 'install', verdict: 'na', reason: 'because' },
          { name: 'upgrade', verdict: 'pass' },
        ],
        base: { version: '1.1.0', tag: '1.1.0', commit, reason: 'pin' },
      },
      config: { enrolled: false },
      releases: { onBranch: false, latest: { version: '2.0.0', tag: '2.0.0', commit: otherCommit } },
      record: {
        version: '1.5.0',
        repository: 'evil.example.org/x',
        required: { platforms: ['linux/s390x'] },
        hold: { bad: ['1.1.0'], until: 'manual', reason: 'broken' },
      },
      ledger: {
        underWay: { version: '1.0.5', run: 'run-6', expires: later },
        sightings: [
          { version: '1.1.0', commit: otherCommit, seen: '2026-02-28T00:00:00Z' },
          {
            version: '1.1.0',
            commit,
            seen: '2026-03-01T11:00:00Z',
            finishedAt: later,
            verdict: 'red',
            run: 'run-8',
          },
        ],
      },
      image: {
        content: { known: undefined },
        destination: { known: { tag: '1.1.0', current: digestOf('other'), sameContent: false } },
      },
      verification: { asked: true, signed: [], invalid: ['bad'], contradictions: ['commit'], strangers: 0 },
    });
    const open = new Set(evaluateGate(hostile).failing);
    // Two cannot fail beside the others: without a tag nothing is on a wrong one.
    expect(conditions.map(({ code }) => code).filter((code) => !open.has(code))).toEqual(['not-tagged']);
    const untagged = promotable({ releases: { tag: undefined, latest: undefined } as never });
    expect(failingRows(untagged)).toEqual(['not-latest', 'not-tagged']);
  });

  it('gives every code a sentence and a remedy', () => {
    for (const { code } of conditions) expect(reasons[code].remedy).not.toBe('Nothing to do.');
  });
});

describe('conditions that interact', () => {
  const rows: readonly [string, Changes, readonly ReasonCode[]][] = [
    [
      'a first promotion binds nothing yet',
      { record: 'none', ledger: { sightings: [] }, policy: { minAgeMs: 0 } },
      [],
    ],
    [
      'a first release has nothing to upgrade from',
      { record: 'none', releases: { older: 0 }, evidence: { tiers: upgradeNa('first-release') } },
      [],
    ],
    [
      'no release yet to upgrade from',
      { record: 'none', releases: { older: 0 }, evidence: { tiers: upgradeNa('no-release') } },
      [],
    ],
    [
      'a declared gap is promotable',
      {
        evidence: { tiers: upgradeNa('no-usable-older') },
        config: { expectedNa: { upgrade: 'manual dump' } },
      },
      [],
    ],
    [
      'a declaration for another tier is none',
      { evidence: { tiers: upgradeNa('all-older-known-broken') }, config: { expectedNa: { install: 'x' } } },
      ['tier-na-undeclared'],
    ],
    [
      'what the branch does not require need not be declared',
      { evidence: { tiers: upgradeNa('not-requested') }, config: { tiers: ['install'] } },
      [],
    ],
    [
      'first-release is no reason for another tier',
      {
        evidence: {
          tiers: [
            { name: 'install', verdict: 'na', reason: 'first-release' },
            { name: 'upgrade', verdict: 'pass' },
          ],
        },
      },
      ['tier-na-undeclared'],
    ],
    [
      'a red test and then a green one in the same run: the later counts',
      {
        ledger: {
          sightings: [logged({ verdict: 'red', finishedAt: '2026-03-01T11:40:00Z' }), logged({})],
        },
      },
      [],
    ],
    [
      'an earlier red test of the same commit is history',
      {
        ledger: {
          sightings: [
            {
              version: '1.1.0',
              commit,
              seen: '2026-03-01T11:00:00Z',
              finishedAt: '2026-03-01T11:30:00Z',
              verdict: 'red',
              run: 'run-6',
            },
          ],
        },
      },
      [],
    ],
    [
      'a later red test of another commit is no matter',
      {
        ledger: {
          sightings: [
            {
              version: '1.1.1',
              commit: otherCommit,
              seen: later,
              finishedAt: later,
              verdict: 'red',
              run: 'run-6',
            },
          ],
        },
      },
      [],
    ],
    [
      'a later inconclusive test is no failure',
      {
        ledger: {
          sightings: [
            {
              version: '1.1.0',
              commit,
              seen: '2026-03-01T11:00:00Z',
              finishedAt: later,
              verdict: 'inconclusive',
              run: 'run-8',
            },
          ],
        },
      },
      [],
    ],
    [
      'moved and soaking: the new commit starts afresh',
      {
        policy: { minAgeMs: 3600_000 },
        ledger: { sightings: [{ version: '1.1.0', commit: otherCommit, seen: '2026-01-01T00:00:00Z' }] },
      },
      ['soaking', 'tag-moved'],
    ],
    [
      'an old sighting on this commit has soaked',
      {
        policy: { minAgeMs: 3600_000 },
        ledger: { sightings: [{ version: '1.1.0', commit, seen: '2026-01-01T00:00:00Z' }] },
      },
      [],
    ],
    [
      'the canonical itself may have its tags put right',
      { record: { version: '1.1.0', commit, images: { [image]: digest } } },
      [],
    ],
    [
      'a hold on another version leaves this one',
      { record: { hold: { bad: ['1.0.5'], until: 'newer', reason: 'x' } } },
      [],
    ],
    [
      'held and not newer',
      { record: { version: '1.2.0', hold: { bad: ['1.1.0'], until: 'newer', reason: 'x' } } },
      ['held', 'would-demote'],
    ],
    [
      'the tag is on this digest already',
      { image: { destination: { known: { tag: '1.1.0', current: digest, sameContent: true } } } },
      [],
    ],
    [
      'an adopted image without version label, its own tag on it',
      {
        image: {
          content: {
            known: { platforms: ['linux/amd64'], labels: [{ 'org.opencontainers.image.revision': commit }] },
          },
          destination: { known: { tag: '1.1.0', current: digest, sameContent: true } },
        },
      },
      [],
    ],
    [
      'an adopted image of another commit stays refused',
      {
        image: {
          content: { known: { platforms: ['linux/amd64'], labels: [{}] } },
          destination: { known: { tag: '1.1.0', current: digest, sameContent: true } },
        },
      },
      ['digest-mismatch'],
    ],
    [
      'less is required, and the setting names it',
      {
        policy: { signature: false, accepted: ['require-lowered'] },
        record: { required: { signature: true } },
      },
      [],
    ],
    [
      'naming a code accepts nothing else',
      { policy: { accepted: ['not-green', 'held', 'require-lowered'] }, evidence: { verdict: 'red' } },
      ['not-green'],
    ],
    [
      'missing and untested are two things',
      { policy: { platforms: ['linux/amd64', 'linux/arm64'] } },
      ['platform-missing', 'platform-untested'],
    ],
    [
      'an untested platform is fine unless all are required',
      {
        policy: { allPlatforms: false },
        image: {
          content: { known: { platforms: ['linux/amd64', 'linux/arm64'], labels: [labels, labels] } },
        },
      },
      [],
    ],
    [
      'strangers neither help nor harm',
      {
        policy: { signature: false, provenance: false },
        verification: { asked: true, signed: [], invalid: [], contradictions: [], strangers: 40 },
      },
      [],
    ],
    [
      'a prerelease is never the latest stable',
      {
        candidate: { version: '1.1.0-rc.1' },
        evidence: { version: '1.1.0-rc.1' },
        image: {
          content: {
            known: {
              platforms: ['linux/amd64'],
              labels: [{ ...labels, 'org.opencontainers.image.version': '1.1.0-rc.1' }],
            },
          },
        },
        top: { stated: { known: [] } },
      },
      ['not-latest'],
    ],
    [
      'red and unknown: red decides, both are named',
      { evidence: { verdict: 'red' }, top: { verification: away } },
      ['cannot-determine', 'not-green', 'provenance-mismatch', 'signature-invalid', 'signature-missing'],
    ],
    [
      'a leading v is no other version',
      { candidate: { version: 'v1.1.0' }, evidence: { version: 'v1.1.0' } },
      [],
    ],
    [
      'stale and held',
      { policy: { maxEvidenceAgeMs: 1 }, record: { hold: { bad: ['1.1.0'], until: 'newer', reason: 'x' } } },
      ['evidence-stale', 'held'],
    ],
    [
      'a base that is the candidate’s commit under another name',
      { evidence: { base: { version: '1.0.9', tag: '1.0.9', commit, reason: 'pin' } } },
      ['same-version-upgrade'],
    ],
    [
      'an upgrade that did not run had no effect to show',
      { releases: { older: 0 }, evidence: { tiers: upgradeNa('first-release'), effect: undefined as never } },
      [],
    ],
  ];
  it.each(rows)('%s', (_what, changes, expected) => {
    expect(failingRows(promotable(changes))).toEqual([...expected].sort());
  });

  it('puts the worst first and says when waiting ends', () => {
    const waiting = evaluateGate(
      promotable({
        policy: { minAgeMs: 3600_000 },
        ledger: { underWay: { version: '1', run: 'x', expires: later } },
      }),
    );
    expect(waiting.verdict).toBe('temporary');
    expect(waiting.eligibleAt).toBe(Date.parse('2026-03-01T11:50:00Z') + 3600_000);
    expect(new Set(waiting.failing)).toEqual(new Set(['concurrent-promotion', 'soaking']));
    const mixed = evaluateGate(
      promotable({
        policy: { minAgeMs: 3600_000 },
        top: { verification: away },
        config: { enrolled: false },
      }),
    );
    expect(mixed.verdict).toBe('permanent');
    expect(mixed.failing[0]).toBe('not-enrolled');
    expect(mixed.failing.at(-1)).toBe('soaking');
    expect(
      evaluateGate(promotable({ policy: { minAgeMs: 3600_000 }, top: { verification: away } })).verdict,
    ).toBe('unknown');
  });

  it('has no answer about images for a compose application without own image', () => {
    const compose = promotable({
      top: { kind: 'compose', images: [] },
      record: { kind: 'compose', images: { 'docker.io/library/nginx': digestOf('n') } },
      evidence: { subject: { app: `docker.io/library/nginx@${digestOf('n')}` } },
      policy: { signature: false, provenance: false, allPlatforms: false },
      verification: { asked: false },
    });
    const { verdict, rows } = evaluateGate(compose);
    expect(verdict).toBe('pass');
    expect(rows.filter((row) => row.verdict === 'n/a').map(({ code }) => code)).toEqual(
      expect.arrayContaining([
        'digest-mismatch',
        'dest-tag-conflict',
        'source-missing',
        'platform-missing',
        'signature-missing',
      ]),
    );
  });
});

describe('property', () => {
  it('a promotion passes only if every condition passes or does not apply', () => {
    // One way to break each condition: two ways for one could undo each other.
    const breaking = conditions.map(({ code }) => alone.find(([own]) => own === code)![2]);
    fc.assert(
      fc.property(fc.subarray(breaking, { maxLength: 6 }), (chosen) => {
        const merged = chosen.reduce<Changes>((all, one) => mergeChanges(all, one), {});
        const snapshot = promotable(merged);
        const result = evaluateGate(snapshot);
        const holds = conditions.every(({ judge }) => ['pass', 'n/a'].includes(judge(snapshot).verdict));
        expect(result.verdict === 'pass').toBe(holds);
        // One broken thing is enough, whatever else is broken beside it or hides it.
        if (chosen.length > 0) expect(result.verdict).not.toBe('pass');
        expect(result.failing.length > 0).toBe(!holds);
      }),
      { numRuns: 3000 },
    );
  });

  it('does not depend on the order of the conditions, and each condition looks at the snapshot only', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...conditions], { minLength: conditions.length }),
        fc.constantFrom(...alone),
        (list, row) => {
          const snapshot = promotable(row[2]);
          const a = evaluateGate(snapshot, list);
          const b = evaluateGate(snapshot);
          expect(new Set(a.failing)).toEqual(new Set(b.failing));
          expect(a.verdict).toBe(b.verdict);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function mergeChanges(a: Changes, b: Changes): Changes {
  const merged: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = merged[key];
    merged[key] =
      typeof before === 'object' &&
      before !== null &&
      typeof value === 'object' &&
      value !== null &&
      !('asked' in value)
        ? { ...before, ...value }
        : before === 'none'
          ? before
          : value;
  }
  return merged as Changes;
}
