import { describe, expect, it } from 'vitest';
import type { ServiceState } from '../../../src/harness/containers.ts';
import { crashIn } from '../../../src/harness/crash.ts';
import { effectOf, snapshotOf } from '../../../src/harness/effect.ts';

const state = (more: Partial<ServiceState> = {}): ServiceState => ({
  service: 'app',
  id: 'a',
  container: 'kg-x-app',
  imageId: 'sha256:one',
  reference: 'app:1',
  status: 'running',
  exitCode: 0,
  outOfMemory: false,
  restarts: 0,
  startedAt: '2026-01-01T00:00:00Z',
  addresses: {},
  published: {},
  anonymous: [],
  tty: false,
  ...more,
});

describe('whether a container is as it should be', () => {
  it.each<[string, Partial<ServiceState>, string | undefined]>([
    ['running', {}, undefined],
    ['created, not started yet', { status: 'created', startedAt: '0001-01-01T00:00:00Z' }, undefined],
    ['the target ended with 0', { status: 'exited' }, '`app` ended with exit code 0.'],
    ['the target ended with 3', { status: 'exited', exitCode: 3 }, '`app` ended with exit code 3.'],
    ['another service did its work', { service: 'migrate', status: 'exited' }, undefined],
    [
      'another service failed',
      { service: 'migrate', status: 'exited', exitCode: 1 },
      '`migrate` ended with exit code 1.',
    ],
    [
      'out of memory',
      { status: 'exited', exitCode: 137, outOfMemory: true },
      '`app` was killed: out of memory.',
    ],
    ['restarted by the engine', { restarts: 1 }, '`app` was restarted.'],
    ['about to be restarted', { status: 'restarting', exitCode: 9 }, '`app` was restarted (exit code 9).'],
    ['never started', { error: 'no such program' }, '`app` could not be started: no such program'],
    ['replaced by its orchestrator', { status: 'exited', exitCode: 1, replaced: true }, undefined],
  ])('%s', (_, more, why) => {
    expect(crashIn([state(more)], 'app', new Map())?.why).toBe(why);
  });

  it('a start time that moved is a restart that the engine did not count', () => {
    const seen = new Map<string, string>();
    expect(crashIn([state()], 'app', seen)).toBeUndefined();
    expect(crashIn([state()], 'app', seen)).toBeUndefined();
    expect(crashIn([state({ startedAt: '2026-01-01T00:00:09Z' })], 'app', seen)?.why).toBe(
      '`app` was restarted.',
    );
  });
});

describe('whether an upgrade had an effect', () => {
  const before = snapshotOf([
    state({ version: '1' }),
    state({ service: 'db', id: 'b', imageId: 'sha256:db' }),
  ]);
  const question = {
    before,
    wanted: new Map([['app', 'sha256:two']]),
    own: new Set(['app']),
    treeMoved: false,
  };
  const db = state({ service: 'db', id: 'b', imageId: 'sha256:db' });
  const later = (more: Partial<ServiceState>) => snapshotOf([state(more), db]);

  it('yes: the image moved, with its label', () => {
    expect(effectOf({ ...question, after: later({ imageId: 'sha256:two', version: '2' }) })).toEqual({
      ok: true,
      moved: ['app'],
    });
  });

  it.each<[string, Partial<Parameters<typeof effectOf>[0]>, RegExp]>([
    [
      'the service runs another image than it should',
      { after: later({}) },
      /runs one, not the candidate's two/,
    ],
    ['the service is gone', { after: snapshotOf([db]) }, /does not run after the upgrade/],
    [
      'nothing moved at all',
      { after: later({}), wanted: new Map([['app', 'sha256:one']]) },
      /No service runs another image/,
    ],
    [
      'the label stayed',
      { after: later({ imageId: 'sha256:two', version: '1' }) },
      /version label still says 1/,
    ],
    [
      'two containers of one service disagree',
      { after: snapshotOf([state({ imageId: 'sha256:two' }), state({ id: 'c' }), db]) },
      /not the candidate's two/,
    ],
  ])('no: %s', (_, more, why) => {
    const effect = effectOf({ ...question, after: later({}), ...more });
    expect(effect.ok).toBe(false);
    expect(effect.ok ? '' : effect.why).toMatch(why);
  });

  it('yes: only the application’s files moved', () => {
    const wanted = new Map([['app', 'sha256:one']]);
    expect(effectOf({ ...question, wanted, after: later({}), treeMoved: true }).ok).toBe(true);
  });
});
