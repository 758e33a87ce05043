import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/outcome.ts';
import { parseEnvFile } from '../../../src/rules/env-file.ts';
import { naTiers, type TestPlanInput, testPlan } from '../../../src/rules/test-plan.ts';
import { type JudgedTier, outcomeOfVerdict, verdictOf } from '../../../src/rules/verdict.ts';
import { testSection } from '../../../src/settings/test-section.ts';

const tier = (name: string, verdict: JudgedTier['verdict'], reason?: JudgedTier['reason']): JudgedTier => ({
  name,
  verdict,
  ...(reason === undefined ? {} : { reason }),
});

describe('the verdict', () => {
  it.each<[string, JudgedTier[], number, string, string[]]>([
    ['all passed', [tier('install', 'pass'), tier('upgrade', 'pass')], 0, 'green', ['green']],
    [
      'a first release',
      [tier('install', 'pass'), tier('upgrade', 'na', 'first-release')],
      0,
      'green',
      ['green'],
    ],
    ['declared', [tier('install', 'pass'), tier('upgrade', 'na', 'expected-na')], 0, 'green', ['green']],
    [
      'na without a good reason',
      [tier('install', 'pass'), tier('upgrade', 'na', 'tags-unavailable')],
      0,
      'inconclusive',
      ['tags-unavailable'],
    ],
    [
      'failed',
      [tier('install', 'fail', 'crashed'), tier('upgrade', 'inconclusive', 'tier-not-run')],
      0,
      'red',
      ['crashed'],
    ],
    [
      'passed from an older base, the chosen one is broken',
      [tier('install', 'pass'), tier('upgrade', 'pass')],
      1,
      'inconclusive',
      ['base-broken'],
    ],
    [
      'no base starts',
      [tier('install', 'pass'), tier('upgrade', 'inconclusive', 'base-broken')],
      3,
      'inconclusive',
      ['base-broken'],
    ],
    [
      'out of time',
      [tier('install', 'inconclusive', 'deadline'), tier('upgrade', 'inconclusive', 'tier-not-run')],
      0,
      'inconclusive',
      ['deadline'],
    ],
    ['nothing applied', [tier('upgrade', 'na', 'first-release')], 0, 'inconclusive', ['nothing-to-check']],
    ['nothing at all', [], 0, 'inconclusive', ['nothing-to-check']],
  ])('%s', (_, tiers, broken, verdict, reasons) => {
    expect(verdictOf(tiers, broken)).toEqual({ verdict, reasons });
  });

  it('is green only where at least one tier passed, none is open and no base is broken', () => {
    const any = fc.record({
      name: fc.constant('x'),
      verdict: fc.constantFrom<JudgedTier['verdict']>('pass', 'fail', 'na', 'inconclusive'),
      reason: fc.constantFrom<NonNullable<JudgedTier['reason']>>(
        'crashed',
        'deadline',
        'expected-na',
        'first-release',
      ),
    });
    fc.assert(
      fc.property(fc.array(any), fc.nat({ max: 2 }), (tiers, broken) => {
        const { verdict, reasons } = verdictOf(tiers, broken);
        expect(reasons.length).toBeGreaterThan(0);
        if (verdict !== 'green') return;
        expect(broken).toBe(0);
        expect(tiers.some((one) => one.verdict === 'pass')).toBe(true);
        expect(tiers.every((one) => one.verdict === 'pass' || one.verdict === 'na')).toBe(true);
      }),
    );
  });

  it('an unknown is an error, never a no', () => {
    expect([outcomeOfVerdict('green'), outcomeOfVerdict('red'), outcomeOfVerdict('inconclusive')]).toEqual([
      'done',
      'refused',
      'error',
    ]);
  });
});

describe('tiers that do not apply', () => {
  const declared = { upgrade: { reason: 'manual dump', versions: '>=4 <5' } };
  it.each([
    ['4.2.0', { upgrade: { reason: 'expected-na', detail: 'manual dump' } }],
    ['5.0.0', {}],
    ['not a version', {}],
    [undefined, {}],
  ])('%s', (version, expected) => {
    expect(naTiers(declared, version, undefined)).toEqual(expected);
  });

  it('a declaration outweighs what step-back says', () => {
    expect(naTiers(declared, '4.2.0', 'first-release').upgrade?.reason).toBe('expected-na');
    expect(naTiers(declared, '5.0.0', 'first-release').upgrade?.reason).toBe('first-release');
  });
});

describe('the plan of a test', () => {
  const plan = (config: unknown, more: Partial<TestPlanInput> = {}) =>
    testPlan({
      recipe: 'app',
      config: config === undefined ? undefined : v.parse(testSection, config),
      composeFiles: ['compose.yml'],
      ownImage: true,
      tiers: undefined,
      timeoutMs: { given: undefined, otherwise: 60_000 },
      na: {},
      envFile: {},
      trusted: true,
      keep: false,
      ...more,
    });

  it('without a word runs the own image, or the compose file, through both tiers', () => {
    expect(plan(undefined).deploy).toEqual({ kind: 'image', ports: [], volumes: [] });
    expect(plan(undefined, { ownImage: false }).deploy).toMatchObject({
      kind: 'compose',
      files: ['compose.yml'],
    });
    expect(plan(undefined).tiers).toEqual([{ name: 'install' }, { name: 'upgrade' }]);
    expect(plan(undefined).allow).toEqual([]);
  });

  it('gives a stranger no exception, whatever the release branch allows', () => {
    const config = { deploy: 'compose', allow: ['privileged'] };
    expect(plan(config).allow).toEqual(['privileged']);
    expect(plan(config, { trusted: false }).allow).toEqual([]);
  });

  it('takes the port of the target, else the first that is published', () => {
    expect(plan({ ports: ['8080:8000'] }).target).toEqual({ service: 'app', port: 8000 });
    expect(plan({ ports: [1], target: { service: 'web', port: 2 } }).target).toEqual({
      service: 'web',
      port: 2,
    });
    expect(plan({}).target).toEqual({ service: 'app' });
  });

  it('lets `env` outweigh the env-file, and a given timeout the configured one', () => {
    const made = plan(
      { env: { A: 'env' }, timeout: '30s', 'tier-timeout': '10m' },
      { envFile: { A: 'file', B: 'file' } },
    );
    expect(made.env).toEqual({ A: 'env', B: 'file' });
    expect([made.timeoutMs, made.tierTimeoutMs]).toEqual([30_000, 30_000]);
    expect(plan({ timeout: '30s' }, { timeoutMs: { given: 5000, otherwise: 1 } }).timeoutMs).toBe(5000);
  });

  it.each([
    [{ deploy: 'commands', up: 'up' }, {}, 'config-invalid'],
    [{ deploy: 'image' }, { ownImage: false }, 'config-invalid'],
    [{ tiers: ['install', 'install'] }, {}, 'config-invalid'],
    [undefined, { tiers: ['backup'] }, 'setting-invalid'],
  ] as const)('%j is an error', (config, more, code) => {
    let thrown: unknown;
    try {
      plan(config, more);
    } catch (cause) {
      thrown = cause;
    }
    expect(thrown).toBeInstanceOf(Failure);
    expect((thrown as Failure).code).toBe(code);
  });

  it('runs what the setting `tiers` names, with what the file says of it', () => {
    const config = { tiers: ['install', 'upgrade', { name: 'backup', exec: 'app backup' }] };
    expect(plan(config, { tiers: ['backup'] }).tiers).toEqual([
      { name: 'backup', commands: [{ kind: 'exec', command: 'app backup' }] },
    ]);
    expect(plan(config, { na: { upgrade: { reason: 'first-release' } } }).tiers[1]).toEqual({
      name: 'upgrade',
      na: { reason: 'first-release' },
    });
  });
});

describe('an env-file', () => {
  it.each([
    ['A=1\nexport B=2\n# C=3\n\n D = 4 # four', { A: '1', B: '2', D: '4' }],
    [`A='a b' # c\nB="x\\ny\\"z"`, { A: 'a b', B: 'x\ny"z' }],
    ['A=$HOME\nB=`id`', { A: '$HOME', B: '`id`' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['no line of this\n1A=2\nA-B=3', {}],
    ['A=', { A: '' }],
  ])('%j', (text, values) => {
    expect(parseEnvFile(text)).toEqual(values);
  });

  it('reads back every value that it is given in single quotes', () => {
    fc.assert(
      fc.property(
        fc.string().filter((value) => !/['\r\n]/.test(value)),
        (value) => {
          expect(parseEnvFile(`NAME='${value}'`)).toEqual({ NAME: value });
        },
      ),
    );
  });

  it('cannot reach a prototype', () => {
    const values = parseEnvFile('__proto__=x\nconstructor=y');
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype);
    expect(Object.keys(values).sort()).toEqual(['__proto__', 'constructor']);
  });
});
