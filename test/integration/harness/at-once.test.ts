import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestPlan } from '../../../src/harness/plan.ts';
import { anonymousVolumes, leftovers, ofImage, openTrial, type Trial, verdicts } from './trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

it('ten runs of one recipe on one engine do not disturb each other', async () => {
  const volumes = await anonymousVolumes(trial.docker);
  const port = await freePort();
  const runs = await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      const image = (tag: string): Promise<string> =>
        trial.image('at-once', tag, [{ path: 'srv/index.html', content: tag }], {
          Cmd: ['sh', '-c', 'test -f /data/who && cp /data/who /srv/who; exec httpd -f -p 8000 -h /srv'],
        });
      const plan: Partial<TestPlan> & Pick<TestPlan, 'deploy'> = {
        deploy: {
          kind: 'image',
          // All of them want the same port of the host, and each has one in the end.
          ports: [{ container: 8000, host: port }],
          volumes: [{ kind: 'volume', source: 'data', target: '/data', readOnly: false }],
        },
        ready: { how: { kind: 'http', path: '/' }, timeoutMs: 60_000 },
        beforeUpgrade: [{ kind: 'exec', command: `echo run ${n} > /data/who` }],
        check: [{ kind: 'http', path: '/', contains: `${n}-candidate` }],
        tiers: [
          { name: 'install' },
          { name: 'upgrade' },
          { name: 'own', commands: [{ kind: 'http', path: '/who', contains: `run ${n}\n` }] },
        ],
        timeoutMs: 110_000,
        tierTimeoutMs: 110_000,
      };
      // One of them fails, which is nobody else's matter.
      const broken = n === 7 ? 'broken' : `${n}-candidate`;
      return trial.run({
        plan,
        candidate: ofImage('candidate', '2.0.0', await image(broken)),
        bases: [ofImage('base', '1.0.0', await image(`${n}-base`))],
      });
    }),
  );
  for (const [n, { result, id, out }] of runs.entries()) {
    expect(verdicts(result), `run ${n}: ${JSON.stringify(result.troubles)}`).toEqual(
      n === 7
        ? {
            install: 'fail check-failed',
            upgrade: 'inconclusive tier-not-run',
            own: 'inconclusive tier-not-run',
          }
        : { install: 'pass', upgrade: 'pass', own: 'pass' },
    );
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  }
  expect(await anonymousVolumes(trial.docker)).toBe(volumes);
});

it('two runs with commands of their own queue, and say so', async () => {
  const image = await trial.image('queue', '1', [{ path: 'srv/index.html', content: 'hello' }]);
  const up = `docker run -d --name queued-$STACK_NAME --label com.docker.compose.project=$STACK_NAME \\
    --label com.docker.compose.service=app $KNOWNGOOD_IMAGE sleep 1000`;
  const run = () =>
    trial.run({
      plan: {
        recipe: 'queue',
        deploy: { kind: 'commands', up, down: 'docker rm -f queued-$STACK_NAME' },
        // Nobody else is up while this one is.
        check: [
          { kind: 'host', command: 'sleep 1; test "$(docker ps -q --filter name=queued- | wc -l)" = 1' },
        ],
        tiers: [{ name: 'install' }],
        target: { service: 'app' },
      },
      candidate: ofImage('candidate', '1.0.0', image, { folder: trial.folder('queue') }),
    });
  const both = await Promise.all([run(), run()]);
  for (const { result, id, out } of both) {
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual({ install: 'pass' });
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  }
  expect(both.flatMap(({ said }) => said).join('\n')).toMatch(
    /Waiting for another run of `queue` on this engine/,
  );
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
