import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageConfig } from '../../../sandbox/image.ts';
import type { TestPlan } from '../../../src/harness/plan.ts';
import { anonymousVolumes, leftovers, ofImage, openTrial, type Trial, verdicts } from './trial.ts';

let trial: Trial;
let volumes: number;
beforeAll(async () => {
  trial = await openTrial();
  volumes = await anonymousVolumes(trial.docker);
});
afterAll(() => trial.close());

/** A service of which one line of shell says how it behaves; `/srv` is served, `/data` is kept. */
const service = (tag: string, script: string, config: ImageConfig = {}): Promise<string> =>
  trial.image(
    'shell',
    tag,
    [
      { path: 'srv/index.html', content: tag },
      { path: 'data', folder: true },
    ],
    { Cmd: ['sh', '-c', script], ...config },
  );

const serve = 'exec httpd -f -p 8000 -h /srv';
const plan = {
  deploy: {
    kind: 'image',
    ports: [{ container: 8000 }],
    volumes: [{ kind: 'volume', source: 'data', target: '/data', readOnly: false }],
  },
  ready: { how: { kind: 'http', path: '/' }, timeoutMs: 60_000 },
} as const satisfies Partial<TestPlan>;

interface Play {
  readonly candidate: string;
  readonly base?: string | readonly string[];
  readonly plan?: Partial<TestPlan>;
}

/** Plays a run of these scripts; whatever the end, nothing of it may be left. */
async function play(name: string, what: Play) {
  const bases = what.base === undefined ? [serve] : [what.base].flat();
  const tag = name.replace(/[^a-z0-9]+/g, '-');
  const ran = await trial.run({
    plan: { ...plan, ...what.plan },
    candidate: ofImage('candidate', '9.0.0', await service(`${tag}-candidate`, what.candidate)),
    bases: await Promise.all(
      bases.map(async (script, index) =>
        ofImage('base', `${8 - index}.0.0`, await service(`${tag}-base-${index}`, script)),
      ),
    ),
  });
  expect(await leftovers(trial.docker, ran.id, ran.out)).toEqual([]);
  expect(await anonymousVolumes(trial.docker)).toBe(volumes);
  return ran;
}

/** Fails after it has been ready, or once it runs on the data of the base. */
const onOldData = (script: string): string => `if test -f /data/old; then ${script}; fi; ${serve}`;
const seed = { beforeUpgrade: [{ kind: 'exec', command: 'echo old > /data/old' }] } as const;
const upgradeOnly = { tiers: [{ name: 'upgrade' }] };

interface Row extends Play {
  readonly is: string;
  readonly verdicts: Readonly<Record<string, string>>;
  readonly says: RegExp;
  /** Something of the right container's last lines. */
  readonly shows?: string;
}

const rows: readonly Row[] = [
  {
    is: 'a candidate that crashes at its start',
    candidate: 'echo the reason >&2; exit 3',
    verdicts: { install: 'fail crashed', upgrade: 'inconclusive tier-not-run' },
    says: /`app` ended with exit code 3/,
    shows: 'the reason',
  },
  {
    is: 'a candidate whose program is not there',
    candidate: 'exec /no/such/program',
    verdicts: { install: 'fail crashed', upgrade: 'inconclusive tier-not-run' },
    says: /exit code 127/,
    shows: '/no/such/program',
  },
  {
    is: 'a candidate that ends with 0 where it should serve',
    candidate: 'echo done',
    verdicts: { install: 'fail crashed', upgrade: 'inconclusive tier-not-run' },
    says: /exit code 0/,
    shows: 'done',
  },
  {
    is: 'a candidate that crashes on the data of the base',
    candidate: onOldData('echo cannot read old data >&2; exit 4'),
    plan: seed,
    verdicts: { install: 'pass', upgrade: 'fail crashed' },
    says: /exit code 4/,
    shows: 'cannot read old data',
  },
  {
    is: 'a candidate that crashes after it was ready, with nothing that checks it',
    candidate: 'httpd -p 8000 -h /srv; echo up; sleep 0.4; echo gone >&2; exit 5',
    plan: { tiers: [{ name: 'install' }] },
    verdicts: { install: 'fail crashed' },
    says: /exit code 5/,
    shows: 'gone',
  },
  {
    is: 'a candidate that crashes during its check, whatever the check says',
    candidate:
      'httpd -p 8000 -h /srv; while ! test -f /tmp/go; do sleep 0.1; done; echo killed by a check; exit 6',
    plan: {
      check: [{ kind: 'exec', command: 'touch /tmp/go; sleep 60; true' }],
      tiers: [{ name: 'install' }],
    },
    verdicts: { install: 'fail crashed' },
    says: /exit code 6/,
    shows: 'killed by a check',
  },
  {
    is: 'a candidate that is never ready',
    candidate: 'echo waiting for nothing; exec sleep 1000',
    plan: { ready: { how: { kind: 'http', path: '/' }, timeoutMs: 2500 } },
    verdicts: { install: 'fail not-ready', upgrade: 'inconclusive tier-not-run' },
    says: /`app` was not ready within 2.5 s: .*(nothing listens|closed without an answer)/,
    shows: 'waiting for nothing',
  },
  {
    is: 'a candidate that answers with an error for ever',
    candidate: 'rm -r /srv; mkdir /srv; exec httpd -f -p 8000 -h /srv',
    plan: { ready: { how: { kind: 'http', path: '/' }, timeoutMs: 2500 } },
    verdicts: { install: 'fail not-ready', upgrade: 'inconclusive tier-not-run' },
    says: /HTTP 404/,
  },
  {
    is: 'a candidate whose readiness command never passes',
    candidate: 'while true; do sleep 1; done',
    plan: { ready: { how: { kind: 'exec', command: 'echo no table; false' }, timeoutMs: 2000 } },
    verdicts: { install: 'fail not-ready', upgrade: 'inconclusive tier-not-run' },
    says: /exit code 1: no table/,
  },
  {
    is: 'data that is lost in an upgrade',
    candidate: `rm -f /data/old; ${serve}`,
    plan: {
      ...seed,
      tiers: [{ name: 'upgrade' }, { name: 'data', commands: [{ kind: 'exec', command: 'cat /data/old' }] }],
    },
    verdicts: { upgrade: 'pass', data: 'fail check-failed' },
    says: /exec in app: cat \/data\/old: exit code 1/,
    shows: "can't open '/data/old'",
  },
  {
    is: 'a check that never ends, with a time of its own',
    candidate: serve,
    plan: {
      check: [{ kind: 'run', command: 'echo begun; sleep 1000', timeoutMs: 1500 }],
      tiers: [{ name: 'install' }],
    },
    verdicts: { install: 'fail check-failed' },
    says: /it was not over in time/,
  },
  {
    is: 'a run that is out of time',
    candidate: `echo what it said last; ${serve}`,
    plan: { check: [{ kind: 'exec', command: 'sleep 1000' }], timeoutMs: 4000 },
    verdicts: { install: 'inconclusive deadline', upgrade: 'inconclusive tier-not-run' },
    says: /The run was not over after 4 s/,
    shows: 'what it said last',
  },
  {
    is: 'a base that starts, but whose data cannot be put in',
    candidate: serve,
    plan: { ...upgradeOnly, beforeUpgrade: [{ kind: 'exec', command: 'echo no such command; false' }] },
    verdicts: { upgrade: 'inconclusive base-failed' },
    says: /exit code 1/,
    shows: 'no such command',
  },
  {
    is: 'bases that do not start, three of them',
    candidate: serve,
    base: ['echo broken >&2; exit 1', 'exit 2', 'exit 3', serve],
    plan: upgradeOnly,
    verdicts: { upgrade: 'inconclusive base-broken' },
    says: /exit code 1/,
    shows: 'broken',
  },
];

describe('a failure that is injected', () => {
  it.each(rows)('$is', async (row) => {
    const { result } = await play(row.is, row);
    expect(verdicts(result)).toEqual(row.verdicts);
    const [trouble] = result.troubles;
    expect(trouble?.detail ?? '').toMatch(row.says);
    if (row.shows !== undefined) expect(trouble?.lines.join('\n')).toContain(row.shows);
  });

  it('a base that does not start: the next older one is taken, and it is said', async () => {
    const { result, said } = await play('older base', {
      candidate: serve,
      base: ['exit 1', serve],
      plan: upgradeOnly,
    });
    expect(verdicts(result)).toEqual({ upgrade: 'pass' });
    expect(result.base).toBe(1);
    expect(result.broken).toEqual([{ version: '8.0.0', tag: '8.0.0', why: '`app` ended with exit code 1.' }]);
    expect(said.join('\n')).toContain('The base 8.0.0 does not start');
  });

  it('nothing to judge by', async () => {
    const { result } = await trial.run({
      plan: { deploy: plan.deploy, tiers: [{ name: 'install' }] },
      candidate: ofImage('candidate', '9.0.0', await service('nothing', serve)),
    });
    expect(verdicts(result)).toEqual({ install: 'inconclusive nothing-to-check' });
  });

  it('ready, and then restarted over and over', async () => {
    const folder = trial.folder('restarting');
    const image = await service('restarting', 'httpd -p 8000 -h /srv; sleep 1.5; echo dying; exit 1');
    writeFileSync(
      join(folder, 'compose.yml'),
      `services: { app: { image: "${image}", restart: always, ports: ["8000"] } }`,
    );
    const { result, id, out } = await trial.run({
      plan: {
        ...plan,
        deploy: { kind: 'compose', files: ['compose.yml'], profiles: [] },
        check: [{ kind: 'run', command: 'sleep 4' }],
        tiers: [{ name: 'install' }],
      },
      candidate: { ...ofImage('candidate', '9.0.0', image), folder },
    });
    expect(verdicts(result)).toEqual({ install: 'fail crashed' });
    expect(result.troubles[0]?.detail).toMatch(/was restarted/);
    expect(result.troubles[0]?.lines.join('\n')).toContain('dying');
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });

  it('an image that is in no registry', async () => {
    const { result, id, out } = await trial.run({
      plan,
      candidate: ofImage('candidate', '9.0.0', `${trial.box.registry.host}/harness/absent:1`),
    });
    expect(verdicts(result).install).toBe('inconclusive image-missing');
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });

  it('data that an anonymous volume would lose is told of', async () => {
    const image = await service('anonymous', serve, { Volumes: { '/var/lib/app': {} } });
    const { result, id, out } = await trial.run({
      plan: { ...plan, tiers: [{ name: 'install' }] },
      candidate: ofImage('candidate', '9.0.0', image),
    });
    expect(result.findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'anonymous-volume: `app` keeps `/var/lib/app` in a volume without a name: an upgrade loses what is in it.',
    ]);
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
    expect(await anonymousVolumes(trial.docker)).toBe(volumes);
  });
});

describe('an upgrade without an effect', () => {
  it('is red where base and candidate run the same image', async () => {
    const image = await service('same', serve);
    const { result } = await trial.run({
      plan: { ...plan, ...upgradeOnly },
      candidate: ofImage('candidate', '9.0.0', image),
      bases: [ofImage('base', '8.0.0', image)],
    });
    expect(verdicts(result)).toEqual({ upgrade: 'fail upgrade-no-effect' });
    expect(result.effect).toBe(false);
  });

  it('is red where the version label did not move with the image', async () => {
    const labelled = (tag: string): Promise<string> =>
      service(tag, serve, { Labels: { 'org.opencontainers.image.version': '8.0.0' } });
    const { result } = await trial.run({
      plan: { ...plan, ...upgradeOnly },
      candidate: ofImage('candidate', '9.0.0', await labelled('labelled-9')),
      bases: [ofImage('base', '8.0.0', await labelled('labelled-8'))],
    });
    expect(verdicts(result)).toEqual({ upgrade: 'fail upgrade-no-effect' });
    expect(result.troubles[0]?.detail).toContain('still says 8.0.0');
  });
});

describe('a host port that is taken', () => {
  let taken: Server;
  let port: number;
  beforeAll(async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    port = (taken.address() as { port: number }).port;
  });
  afterAll(() => taken.close());

  it('is replaced by another, and it is said', async () => {
    const { result, said } = await play('port taken', {
      candidate: serve,
      plan: {
        deploy: { ...plan.deploy, ports: [{ container: 8000, host: port }] },
        tiers: [{ name: 'install' }],
      },
    });
    expect(verdicts(result)).toEqual({ install: 'pass' });
    expect(said).toContain(`Host port ${port} is taken; the engine picks another.`);
  });
});

describe('a flood of output', () => {
  it('of 1 GB neither fills memory nor disk, and is marked where it was cut', async () => {
    const before = process.memoryUsage.rss();
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 50);
    const flood = 'dd if=/dev/zero bs=1M count=1024 2>/dev/null | tr "\\000" x';
    const { result, out } = await play('flood', {
      candidate: `httpd -p 8000 -h /srv; ${flood}; exec sleep 1000`,
      plan: {
        check: [{ kind: 'exec', command: `${flood}; echo; echo the last line` }],
        tiers: [{ name: 'install' }],
        timeoutMs: 110_000,
        tierTimeoutMs: 110_000,
      },
    });
    clearInterval(timer);
    expect(verdicts(result)).toEqual({ install: 'pass' });
    expect(most - before).toBeLessThan(200 * 1024 * 1024);
    for (const name of ['install-candidate-app', 'install-candidate-exec-app']) {
      const file = join(out, 'logs', `${name}.stdout.log`);
      expect(statSync(file).size).toBeLessThan(10.1 * 1024 * 1024);
      expect(readFileSync(file, 'utf8').slice(-60)).toContain('[truncated after 10485760 bytes]');
    }
  });
});
