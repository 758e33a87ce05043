import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { droneHost } from '../../../src/hosts/drone.ts';
import { githubHost } from '../../../src/hosts/github.ts';
import type { Host } from '../../../src/hosts/host.ts';
import { terminalHost } from '../../../src/hosts/terminal.ts';
import { woodpeckerHost } from '../../../src/hosts/woodpecker.ts';
import { Failure, type Finding } from '../../../src/outcome.ts';
import { readCommandLine } from '../../../src/settings/command-line.ts';
import { stepsOf } from '../../../src/settings/lines.ts';
import { type RawSettings, readSettings } from '../../../src/settings/read.ts';
import type { Settings } from '../../../src/settings/schema.ts';
import { secretsIn } from '../../../src/settings/secrets.ts';
import { recorded } from '../hosts/recorded.ts';

const quiet = (): void => undefined;

function read(
  raw: Record<string, string>,
  commaSeparatedMaps = false,
): { settings: Settings; warnings: readonly Finding[] } {
  const settings: RawSettings = new Map(
    Object.entries(raw).map(([name, value]) => [name, { value, source: `\`${name}\`` }]),
  );
  return readSettings(settings, { settingName: (name) => name, commaSeparatedMaps });
}

function readOn(host: Host): Settings {
  const commaSeparatedMaps = host.name === 'drone' || host.name === 'woodpecker';
  return readSettings(host.rawSettings, { settingName: host.settingName, commaSeparatedMaps }).settings;
}

describe('a setting on each host', () => {
  const wanted = {
    buildArgs: { A: '1', B: 'two words' },
    platforms: ['linux/amd64', 'linux/arm64'],
    noCache: true,
  };
  const rows: [string, () => Host][] = [
    [
      'GitHub keeps hyphens',
      () =>
        githubHost(
          recorded('github-push', {
            'INPUT_BUILD-ARGS': 'A=1\nB=two words',
            INPUT_PLATFORMS: 'linux/amd64, linux/arm64',
            'INPUT_NO-CACHE': 'true',
          }),
          quiet,
        ),
    ],
    [
      'Drone joins lists with commas',
      () =>
        droneHost(
          recorded('drone-push', {
            PLUGIN_BUILD_ARGS: 'A=1,B=two words',
            PLUGIN_PLATFORMS: 'linux/amd64,linux/arm64',
            PLUGIN_NO_CACHE: 'true',
          }),
          quiet,
        ),
    ],
    [
      'Drone hands maps over as JSON, and hyphens as they were written',
      () =>
        droneHost(
          recorded('drone-push', {
            'PLUGIN_BUILD-ARGS': '{"A":1,"B":"two words"}',
            PLUGIN_PLATFORMS: '["linux/amd64","linux/arm64"]',
            'PLUGIN_NO-CACHE': 'true',
          }),
          quiet,
        ),
    ],
    [
      'Woodpecker',
      () =>
        woodpeckerHost(
          recorded('woodpecker-push', {
            PLUGIN_BUILD_ARGS: '{"A":"1","B":"two words"}',
            PLUGIN_PLATFORMS: 'linux/amd64,linux/arm64',
            PLUGIN_NO_CACHE: 'true',
          }),
          quiet,
        ),
    ],
    [
      'a terminal has flags',
      () => {
        const argv = [
          'build-push',
          '--build-args',
          'A=1',
          '--build-args=B=two words',
          '--no-cache',
          '--platforms',
          'linux/amd64,linux/arm64',
        ];
        return terminalHost({}, quiet, { rawSettings: readCommandLine(argv).rawSettings, live: false });
      },
    ],
  ];
  it.each(rows)('%s', (_, host) => {
    expect(readOn(host())).toMatchObject(wanted);
  });

  it('on Drone has the parameters of a build that a comment started, and of no other', () => {
    const parameters = { KNOWNGOOD_ARG_BASE_VERSION: '3.0.1', PLUGIN_STEP: 'change' };
    expect(readOn(droneHost(recorded('drone-custom', parameters), quiet))).toMatchObject({
      candidate: '89abcdef0123456789abcdef0123456789abcdef',
      pullRequest: 12,
      arguments: { 'base-version': '3.0.1' },
    });
    const elsewhere = recorded('drone-pull-request', {
      KNOWNGOOD_CANDIDATE: '89abcdef0123456789abcdef0123456789abcdef',
    });
    expect(readOn(droneHost(elsewhere, quiet)).candidate).toBeUndefined();
  });

  it('in a terminal takes secrets from the environment', () => {
    const { rawSettings } = readCommandLine(['promote', '--ledger-token', 'typed']);
    const host = terminalHost(
      { KNOWNGOOD_LEDGER_TOKEN: 'env', KNOWNGOOD_REGISTRY_PASSWORD: 'pw', KNOWNGOOD_IMAGE: 'no' },
      quiet,
      {
        rawSettings,
        live: false,
      },
    );
    expect(readOn(host)).toMatchObject({ ledgerToken: 'typed', registryPassword: 'pw', image: undefined });
  });
});

describe('the command line', () => {
  const given = (...argv: string[]): Record<string, string> =>
    Object.fromEntries([...readCommandLine(argv).rawSettings].map(([name, { value }]) => [name, value]));

  it.each([
    [['label', '--dryrun'], { step: 'label', dryrun: 'true' }],
    [['label', '--dryrun', '--verbose'], { step: 'label', dryrun: 'true', verbose: 'true' }],
    [['label', '--imge', 'a/b'], { step: 'label', imge: 'a/b' }],
    [['rollback', '--why', '--it broke--'], { step: 'rollback', why: '--it broke--' }],
    [['label', '--image=--dry-run'], { step: 'label', image: '--dry-run' }],
  ])('%j', (argv, expected) => {
    expect(given(...argv)).toEqual(expected);
  });

  it.each([
    [['promote', '--image']],
    [['promote', '--image', '--dry-run']],
    [['promote', '--image', '--push=never']],
  ])('is refused where a value is missing, and no other setting is taken for it: %j', (argv) => {
    expect(() => given(...argv)).toThrow('`--image` needs a value.');
  });
});

describe('readSettings', () => {
  it('applies defaults, and knows what was given', () => {
    const { settings, warnings } = read({ step: 'label', image: '', timeout: '90s' });
    expect(settings).toMatchObject({
      context: '.',
      image: undefined,
      timeout: 90_000,
      tiers: ['install', 'upgrade'],
      labels: {},
    });
    expect([...settings.given]).toEqual(['step', 'timeout']);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['dockerfiel', 'dockerfile'],
    ['registry-pasword', 'registry-password'],
    ['plattforms', 'platforms'],
  ])('warns of %s and names %s', (name, near) => {
    const { warnings } = read({ [name]: 'x' });
    expect(warnings.map(({ code, level, message }) => ({ code, level, message }))).toEqual([
      {
        code: 'setting-unknown',
        level: 'warning',
        message: `The setting \`${name}\` is not known and was ignored. Did you mean \`${near}\`?`,
      },
    ]);
  });

  it('does not guess where nothing is near', () => {
    expect(read({ 'something-else-entirely': 'x' }).warnings[0]?.message).toBe(
      'The setting `something-else-entirely` is not known and was ignored.',
    );
  });

  it.each([
    [{ 'dry-run': 'maybe' }, '`dry-run` must be `true` or `false`, not "maybe".'],
    [{ timeout: '10' }, '`timeout` must be a time such as `90s`, `15m` or `1h30m`, not "10".'],
    [{ push: 'sometimes' }, '`push` must be one of `auto`, `always`, `never`, not "sometimes".'],
    [
      { require: 'signature, signatures' },
      '`require` may hold `signature`, `provenance`, `all-platforms`, `require-lowered`, and not "signatures".',
    ],
    [{ candidate: 'abc123' }, '`candidate` must be a full commit of 40 lower-case hex digits, not "abc123".'],
    [{ 'pull-request': '-1' }, '`pull-request` must be a whole number, not "-1".'],
    [
      { 'build-args': 'A=1\nB' },
      '`build-args` must be lines of NAME=value or a JSON object; "B" is neither.',
    ],
    [{ registries: '{"ghcr.io": {"password": "hunter2"' }, '`registries` is not valid JSON.'],
    ...['[1]', '{"ghcr.io": null}', '{"ghcr.io": "token"}', '{"ghcr.io": {"pasword": "x"}}'].map(
      (registries) =>
        [{ registries }, '`registries` must be a JSON object of `{"host": {"username"'] as [object, string],
    ),
    [{ concurrency: 'x', timeout: 'y' }, /`timeout` must be.*; `concurrency` must be/],
  ])('refuses %j', (raw, message) => {
    const attempt = (): unknown => read(raw as Record<string, string>);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ code: 'setting-invalid', outcome: 'error' }));
  });

  it('quotes nothing of a secret that has the wrong form: what is cut off, no mask finds', () => {
    const secret = 'never-to-be-shown-'.repeat(4);
    for (const raw of [
      { secrets: secret },
      { secrets: `{"a": ["${secret}"]}` },
      { registries: `["${secret}"]` },
    ])
      expect(() => read(raw)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining('never') }),
      );
  });

  it('keeps commas in values of maps on every host', () => {
    expect(read({ 'build-args': 'A=1,2' }, true).settings.buildArgs).toEqual({ A: '1,2' });
    expect(read({ 'build-args': 'A=1,B=2' }, false).settings.buildArgs).toEqual({ A: '1,B=2' });
  });

  it('keeps a cache with commas of its own as one entry', () => {
    const cacheOf = (text: string) => read({ 'cache-from': text }).settings.cacheFrom;
    const registry = 'type=registry,ref=a.example/b:c';
    expect(cacheOf(`${registry}, type=gha,scope=x`)).toEqual([registry, 'type=gha,scope=x']);
    expect(cacheOf(`a.example/b:1, a.example/b:2\n${registry}`)).toEqual([
      'a.example/b:1',
      'a.example/b:2',
      registry,
    ]);
  });

  it('takes no prototype from a map', () => {
    const { buildArgs } = read({ 'build-args': '{"__proto__": "x", "constructor": "y"}' }).settings;
    expect(Object.getPrototypeOf(buildArgs)).toBe(Object.prototype);
    expect(Object.keys(buildArgs)).toEqual(['__proto__', 'constructor']);
  });

  it('reads any map that it is given as JSON back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[A-Z_]{1,8}$/), fc.string()), (map) => {
        expect({ ...read({ 'build-args': JSON.stringify(map) || '{}' }).settings.buildArgs }).toEqual({
          ...map,
        });
      }),
    );
  });
});

describe('secretsIn', () => {
  it('finds every secret before anything is parsed', () => {
    const raw = new Map(
      Object.entries({
        'registry-password': ' hunter2 ',
        registries: '{"ghcr.io":{"username":"robin","password":"pw-1"},"other":{"token":"pw-2"}}',
        secrets: 'npm=tok-1\nssh=tok-2',
        image: 'not-a-secret',
      }).map(([name, value]) => [name, { value, source: name }]),
    );
    expect(secretsIn(raw, false).toSorted()).toEqual(['hunter2', 'pw-1', 'pw-2', 'tok-1', 'tok-2']);
  });

  it.each([
    ['lines', 'npm=tok-1\nuser-key=tok-2', false],
    ['a list that Drone joined', 'npm=tok-1,user-key=tok-2', true],
    ['JSON', '{"npm":"tok-1","user-key":"tok-2"}', true],
  ])('finds each secret of a map that is %s', (_, value, commaSeparatedMaps) => {
    const raw = new Map([['secrets', { value, source: 'secrets' }]]);
    expect(secretsIn(raw, commaSeparatedMaps).toSorted()).toEqual(['tok-1', 'tok-2']);
    const { settings } = read({ secrets: value }, commaSeparatedMaps);
    expect(Object.values(settings.secrets).toSorted()).toEqual(['tok-1', 'tok-2']);
  });
});

describe('stepsOf', () => {
  it.each([
    [['label'], ['label']],
    [
      ['label', 'build-push'],
      ['label', 'build-push'],
    ],
    [['change'], ['label', 'build-push', 'step-back', 'test']],
    [['release'], ['label', 'build-push', 'attest', 'step-back', 'test', 'promote']],
  ])('%j', (words, steps) => {
    expect(stepsOf(words, 'step')).toEqual(steps);
  });

  it('names the step that was meant', () => {
    const attempt = (): unknown => stepsOf(['biuld-push'], 'step');
    expect(attempt).toThrow(Failure);
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'step-unknown', remedy: expect.stringContaining('`build-push`') }),
    );
    expect(() => stepsOf([], 'step')).toThrow(expect.objectContaining({ code: 'step-missing' }));
  });
});
