import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Admission,
  type AdmissionFacts,
  admit,
  mostAsked,
  pendingSince,
  type StatusLine,
} from '../../../src/rules/admission.ts';
import type { CommentCommand } from '../../../src/rules/comment.ts';
import { corpus, read } from './comment-corpus.ts';

const HEAD = '89abcdef0123456789abcdef0123456789abcdef';
const OLD = '0000000000000000000000000000000000000001';

const pull: NonNullable<AdmissionFacts['pull']> = {
  open: true,
  locked: false,
  head: HEAD,
  fork: false,
  authorPermission: 'write',
  changesHarness: false,
};

/** A maintainer comments on a maintainer's pull request. */
const plain: AdmissionFacts = {
  command: { kind: 'run', quick: false, arguments: {} },
  action: 'created',
  comment: { edited: false, byBot: false, botAllowed: false },
  permission: 'write',
  pull,
  running: false,
  asked: { onPullRequest: 1, byUser: 1 },
};

const withCommit = (commit: string): AdmissionFacts['command'] => ({
  kind: 'run',
  quick: false,
  commit,
  arguments: {},
});
const admitted = (trusted: boolean): Admission => ({ verdict: 'admitted', commit: HEAD, trusted, notes: [] });
const refused = (reason: string): Admission => ({ verdict: 'refused', reason }) as Admission;
const silent: Admission = { verdict: 'silent', reason: 'not-testme' };

const rows: readonly (readonly [string, Partial<AdmissionFacts>, Admission])[] = [
  ['a maintainer on a maintainer’s pull request', {}, admitted(true)],
  ['an administrator', { permission: 'admin' }, admitted(true)],
  ['the head, named in full', { command: withCommit(HEAD) }, admitted(true)],
  [
    'a run that would reuse data',
    { command: { kind: 'run', quick: true, arguments: {} } },
    { ...admitted(true), notes: ['warm-unavailable'] } as Admission,
  ],
  ['other text', { command: { kind: 'none' } }, silent],
  ['an edit', { action: 'edited' }, silent],
  ['a deletion', { action: 'deleted' }, silent],
  ['a bot', { comment: { edited: false, byBot: true, botAllowed: false } }, silent],
  [
    'a bot on the list',
    { comment: { edited: false, byBot: true, botAllowed: true }, permission: 'none' },
    admitted(true),
  ],
  ['an issue', { pull: undefined } as never, refused('not-a-pull-request')],
  ['a reader', { permission: 'read' }, refused('denied-permission')],
  ['a stranger', { permission: 'none' }, refused('denied-permission')],
  ['somebody whose permission nobody told', { permission: 'unknown' }, refused('denied-permission')],
  ['a command in backticks', { command: { kind: 'quoted' } }, refused('quoted-command')],
  [
    'a stranger’s command in backticks',
    { command: { kind: 'quoted' }, permission: 'read' },
    refused('denied-permission'),
  ],
  [
    'a comment that was edited',
    { comment: { edited: true, byBot: false, botAllowed: false } },
    refused('comment-edited'),
  ],
  ['a closed pull request', { pull: { ...pull, open: false } }, refused('pull-request-closed')],
  ['a locked pull request', { pull: { ...pull, locked: true } }, refused('pull-request-locked')],
  ['a short hash', { command: { kind: 'short-commit', word: '89abcde' } }, refused('sha-required')],
  ['another word', { command: { kind: 'unknown-argument', word: 'x' } }, refused('unknown-argument')],
  ['a commit that is the head no more', { command: withCommit(OLD) }, refused('head-moved')],
  ['a fork, without a commit', { pull: { ...pull, fork: true } }, refused('sha-required')],
  ['a fork, with its head', { pull: { ...pull, fork: true }, command: withCommit(HEAD) }, admitted(false)],
  [
    'a fork, after a push',
    { pull: { ...pull, fork: true }, command: withCommit(OLD) },
    refused('head-moved'),
  ],
  [
    'an outsider’s branch of this repository',
    { pull: { ...pull, authorPermission: 'read' } },
    refused('sha-required'),
  ],
  [
    'the same, with its head',
    { pull: { ...pull, authorPermission: 'read' }, command: withCommit(HEAD) },
    admitted(false),
  ],
  ['an author nobody knows', { pull: { ...pull, authorPermission: 'unknown' } }, refused('sha-required')],
  [
    'a fork that changes how it is tested',
    { pull: { ...pull, fork: true, changesHarness: true }, command: withCommit(HEAD) },
    refused('harness-changed'),
  ],
  ['a maintainer who changes how it is tested', { pull: { ...pull, changesHarness: true } }, admitted(true)],
  ['a run under way', { running: true }, refused('busy')],
  [
    'too many on one pull request',
    { asked: { onPullRequest: mostAsked.onPullRequest + 1, byUser: 1 } },
    refused('rate-limited'),
  ],
  [
    'too many of one user',
    { asked: { onPullRequest: 1, byUser: mostAsked.byUser + 1 } },
    refused('rate-limited'),
  ],
];

describe('admitting a comment', () => {
  it.each(rows)('%s', (_, change, expected) => {
    expect(admit({ ...plain, ...change })).toEqual(expected);
  });

  const permission = fc.constantFrom('none', 'read', 'write', 'admin', 'unknown') as fc.Arbitrary<'none'>;
  const anyFacts: fc.Arbitrary<AdmissionFacts> = fc.record(
    {
      command: fc.constantFrom<AdmissionFacts['command']>(
        plain.command,
        withCommit(HEAD),
        withCommit(OLD),
        { kind: 'none' },
        { kind: 'quoted' },
      ),
      action: fc.constantFrom('created', 'edited', 'other'),
      comment: fc.record({ edited: fc.boolean(), byBot: fc.boolean(), botAllowed: fc.constant(false) }),
      permission,
      pull: fc.record({
        open: fc.boolean(),
        locked: fc.boolean(),
        head: fc.constant(HEAD),
        fork: fc.boolean(),
        authorPermission: permission,
        changesHarness: fc.boolean(),
      }),
      running: fc.boolean(),
      asked: fc.record({ onPullRequest: fc.nat(20), byUser: fc.nat(40) }),
    },
    { noNullPrototype: true },
  ) as fc.Arbitrary<AdmissionFacts>;

  it('admits nobody but people with write permission, and nothing but the current head', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const answer = admit(facts);
        if (answer.verdict !== 'admitted') return;
        expect(['write', 'admin']).toContain(facts.permission);
        expect(answer.commit).toBe(HEAD);
        const untrusted =
          facts.pull?.fork === true || !['write', 'admin'].includes(facts.pull?.authorPermission ?? '');
        expect(answer.trusted).toBe(!untrusted);
        if (untrusted) expect(facts.command).toEqual(withCommit(HEAD));
      }),
      { numRuns: 2000 },
    );
  });
});

/** What becomes of each comment of the corpus, by who wrote it and what happened to it since. */
describe('the corpus of comments', () => {
  const created = { edited: false, byBot: false, botAllowed: false };
  const byKind = {
    none: silent,
    quoted: refused('quoted-command'),
    'short-commit': refused('sha-required'),
    'unknown-argument': refused('unknown-argument'),
    run: admitted(true),
  };
  const told: Record<string, (command: CommentCommand) => [Partial<AdmissionFacts>, Admission]> = {
    'of a maintainer': ({ kind, ...more }) => [
      {},
      'quick' in more && more.quick
        ? ({ ...admitted(true), notes: ['warm-unavailable'] } as Admission)
        : byKind[kind],
    ],
    'of a reader': ({ kind }) => [
      { permission: 'read' },
      kind === 'none' ? silent : refused('denied-permission'),
    ],
    'of a bot': () => [{ comment: { ...created, byBot: true } }, silent],
    'of a maintainer, edited since': ({ kind }) => [
      { comment: { ...created, edited: true } },
      kind === 'none' || kind === 'quoted' ? byKind[kind] : refused('comment-edited'),
    ],
    'that an edit event is about': () => [{ action: 'edited' }, silent],
    'on an issue': ({ kind }) => [
      { pull: undefined } as never,
      kind === 'none' ? silent : refused('not-a-pull-request'),
    ],
    'on a fork': (command) => [
      { pull: { ...pull, fork: true } },
      command.kind !== 'run'
        ? byKind[command.kind]
        : command.commit === undefined
          ? refused('sha-required')
          : ({ ...admitted(false), notes: command.quick ? ['warm-unavailable'] : [] } as Admission),
    ],
  };
  it.each(Object.entries(told))('%s', (_, decide) => {
    for (const [body] of Object.values(corpus).flat()) {
      const command = read(body);
      const [change, expected] = decide(command);
      expect(admit({ ...plain, ...change, command }), body).toEqual(expected);
    }
  });
});

describe('who holds a commit', () => {
  const line = (id: number, state: StatusLine['state'], at = 0, context = 'k'): StatusLine => ({
    id,
    state,
    at,
    context,
  });
  it.each([
    ['nobody', [], undefined],
    ['the first pending', [line(2, 'pending'), line(1, 'pending')], 1],
    [
      'the first since the last result',
      [line(1, 'pending'), line(2, 'success'), line(4, 'pending'), line(3, 'pending')],
      3,
    ],
    ['nobody after a result', [line(1, 'pending'), line(2, 'error')], undefined],
    ['nobody of another name', [line(1, 'pending', 0, 'other')], undefined],
    ['nobody who died long ago', [line(1, 'pending', -7 * 3_600_000)], undefined],
    ['the one after a dead one', [line(1, 'pending', -7 * 3_600_000), line(2, 'pending')], 2],
  ] as const)('%s', (_, statuses, id) => {
    expect(pendingSince<StatusLine>(statuses, 'k', 0)[0]?.id).toBe(id);
  });
});
