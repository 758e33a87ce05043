import { execFileSync } from 'node:child_process';
import { Failure } from '../src/outcome.ts';
import { ofImage, openTrial, type Trial } from '../test/integration/harness/trial.ts';
import { type Comparison, comparison, sideBySide } from './measure.ts';

/**
 * A whole test run, install and upgrade of one image with data, beside a hand-written shell script of the same
 * docker commands: networks, volumes, readiness, logs, checks, clean-up.
 */
export async function bench(): Promise<Comparison[]> {
  const trial = await openTrial();
  try {
    const serve = 'trap "exit 0" TERM; httpd -f -p 8000 -h /srv & wait';
    const image = (tag: string): Promise<string> =>
      trial.image('bench', tag, [{ path: 'srv/index.html', content: `version ${tag}` }], {
        Cmd: ['sh', '-c', serve],
      });
    const [base, candidate] = [await image('1.0.0'), await image('2.0.0')];
    const docker = await trial.box.tool('docker');
    const env = { ...process.env, ...trial.box.env, DOCKER: docker, BASE: base, CANDIDATE: candidate };
    const [ours, theirs] = await sideBySide(
      5,
      async () => {
        const { result } = await trial.run({
          plan: {
            deploy: {
              kind: 'image',
              ports: [{ container: 8000 }],
              volumes: [{ kind: 'volume', source: 'data', target: '/data', readOnly: false }],
            },
            ready: { how: { kind: 'http', path: '/' }, timeoutMs: 20_000 },
            beforeUpgrade: [{ kind: 'exec', command: 'echo kept > /data/note' }],
            check: [
              { kind: 'http', path: '/', contains: 'version 2.0.0' },
              { kind: 'exec', command: 'test -d /data' },
            ],
            tiers: [
              { name: 'install' },
              { name: 'upgrade' },
              { name: 'kept', commands: [{ kind: 'exec', command: 'grep kept /data/note' }] },
            ],
          },
          candidate: ofImage('candidate', '2.0.0', candidate),
          bases: [ofImage('base', '1.0.0', base)],
        });
        if (result.tiers.some(({ verdict }) => verdict !== 'pass')) throw new Error(JSON.stringify(result));
      },
      () => {
        execFileSync('bash', ['-c', script], { env, stdio: ['ignore', 'ignore', 'inherit'] });
      },
    );
    return [
      comparison('test: install and upgrade beside a shell script', ours, theirs, 1.15),
      comparison(
        'test: from a cancellation to its end, beside the 5 s that it has',
        await cancelled(trial, candidate),
        5000,
        1,
      ),
    ];
  } finally {
    await trial.close();
  }
}

/** Milliseconds from the signal in the middle of a check until everything is removed. */
async function cancelled(trial: Trial, image: string): Promise<number> {
  const cancel = new AbortController();
  let sent = 0;
  const run = trial.run({
    plan: {
      deploy: { kind: 'image', ports: [{ container: 8000 }], volumes: [] },
      ready: { how: { kind: 'http', path: '/' }, timeoutMs: 20_000 },
      check: [{ kind: 'run', command: 'sleep 1000' }],
      tiers: [{ name: 'install' }],
    },
    candidate: ofImage('candidate', '2.0.0', image),
    signal: cancel.signal,
    more: {
      onPhase: ({ name }) => {
        if (!name.startsWith('ready')) return;
        setTimeout(() => {
          sent = performance.now();
          cancel.abort(new Failure('cancelled'));
        }, 1000);
      },
    },
  });
  await run.then(
    () => Promise.reject(new Error('it was not cancelled')),
    (cause: unknown) => {
      if (!(cause instanceof Failure) || cause.code !== 'cancelled') throw cause;
    },
  );
  return performance.now() - sent;
}

/** What a careful person would write. */
const script = `
set -eu
id=script-$$; logs=$(mktemp -d)
finish() { $DOCKER rm -f -v $id-app >/dev/null 2>&1 || true; $DOCKER volume rm $id-a $id-b >/dev/null 2>&1 || true
  $DOCKER network rm $id-a $id-b >/dev/null 2>&1 || true; rm -rf $logs; }
trap finish EXIT
start() { $DOCKER run -d --name $id-app --network $1 -v $1:/data -p 127.0.0.1::8000 $2 >/dev/null
  $DOCKER logs -f $id-app >$logs/$3.stdout 2>$logs/$3.stderr &
  port=$($DOCKER port $id-app 8000/tcp); port=\${port##*:}
  for try in $(seq 200); do
    test "$($DOCKER inspect -f '{{.State.Running}}' $id-app)" = true
    curl -sf -o /dev/null http://127.0.0.1:$port/ && return; sleep 0.1; done; exit 1; }
check() { curl -sf http://127.0.0.1:$port/ | grep -q 'version 2.0.0'; $DOCKER exec $id-app sh -c 'test -d /data'; }
$DOCKER network create $id-a >/dev/null
start $id-a $CANDIDATE install
check
$DOCKER rm -f -v $id-app >/dev/null
$DOCKER network create $id-b >/dev/null
start $id-b $BASE base
$DOCKER exec $id-app sh -c 'echo kept > /data/note'
$DOCKER stop -t 10 $id-app >/dev/null; $DOCKER rm -v $id-app >/dev/null
start $id-b $CANDIDATE candidate
check
$DOCKER exec $id-app sh -c 'grep kept /data/note' >/dev/null
`;
