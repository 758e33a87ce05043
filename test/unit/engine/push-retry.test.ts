import { describe, expect, it } from 'vitest';
import { classifyPushFailure, pushFailure } from '../../../src/engine/push-failure.ts';
import { type PushTry, pushWithRetries } from '../../../src/engine/push-retry.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { Failure } from '../../../src/outcome.ts';

const reference = 'ghcr.io/acme/app:sha-0123456789ab';
const digest = digestOf('image');

describe('classifyPushFailure', () => {
  it.each([
    ['received unexpected HTTP status: 503 Service Unavailable', 'transient'],
    ['failed to parse error response 502: <!DOCTYPE html><title>Unicorn!</title>', 'transient'],
    ['toomanyrequests: retry-after: 3', 'transient'],
    ['received unexpected HTTP status: 500 Internal Server Error', 'transient'],
    ['unknown blob', 'transient'],
    ['blob upload invalid', 'transient'],
    ['unexpected EOF', 'transient'],
    ['write tcp 10.0.0.2:38052->10.0.0.9:443: use of closed network connection', 'transient'],
    ['read tcp 10.0.0.2:38052->10.0.0.9:443: read: connection timed out', 'transient'],
    ['net/http: HTTP/1.x transport connection broken: malformed HTTP response', 'transient'],
    ['Put "https://ghcr.io/v2/": read: connection reset by peer', 'transient'],
    ['net/http: TLS handshake timeout', 'transient'],
    ['http2: Transport: cannot reuse body, request must be retried', 'transient'],
    ['denied: permission_denied: write_package', 'permission'],
    ['denied: installation not allowed to Create organization package', 'permission'],
    ['unauthorized: authentication required', 'permission'],
    ['no basic auth credentials', 'permission'],
    ['received unexpected HTTP status: 403 Forbidden', 'permission'],
    ['tag invalid: The image tag is immutable', 'conflict'],
    ['something nobody has seen', 'unknown'],
  ])('%s → %s', (words, kind) => {
    expect(classifyPushFailure(words, reference)).toBe(kind);
  });

  it('does not read the names of the image', () => {
    expect(
      classifyPushFailure(
        'odd thing about example.org/denied/forbidden:500',
        'example.org/denied/forbidden:500',
      ),
    ).toBe('unknown');
  });

  it.each([
    ['denied: permission_denied: write_package', 'Manage Actions access'],
    ['denied: installation not allowed to Create organization package', 'packages: write'],
    ['no basic auth credentials', 'registry-password'],
    ['unauthorized: authentication required', 'packages: write'],
  ])('%s has the remedy that fits', (words, remedy) => {
    const failure = pushFailure(words, 'ghcr.io', reference);
    expect(failure.code).toBe('registry-denied');
    expect(failure.remedy).toContain(remedy);
  });

  it('fails closed for what it does not know, with at most 200 characters of it', () => {
    const failure = pushFailure('x'.repeat(500), 'ghcr.io', reference);
    expect(failure.code).toBe('registry-failed');
    expect(failure.message.match(/x/g)?.length).toBe(200);
  });
});

describe('pushWithRetries', () => {
  const run = async (tries: PushTry[], options: Parameters<typeof pushWithRetries>[1]['options'] = {}) => {
    let now = 0;
    const waits: number[] = [];
    const told: string[] = [];
    let done = 0;
    const result = await pushWithRetries(async () => tries[done++] ?? { failed: 'no more tries' }, {
      reference,
      host: 'ghcr.io',
      clock: {
        now: () => now,
        sleep: async (ms) => {
          waits.push(ms);
          now += ms;
        },
        random: () => 0,
      },
      signal: new AbortController().signal,
      options,
      tell: (text) => told.push(text),
    }).catch((cause: Failure) => cause);
    return { result, waits, told, done };
  };
  const busy: PushTry = { failed: 'received unexpected HTTP status: 503 Service Unavailable' };

  it('goes on while it fails in another way each time, fifteen times at most', async () => {
    const bad = (path: string): PushTry => ({
      failed: `Put "http://127.0.0.1:5000/v2/${path}": read tcp 127.0.0.1:${Math.floor(Math.random() * 60_000)}: EOF`,
    });
    const mixed = ['blobs/a', 'manifests/b', 'c', 'd', 'blobs/a', 'manifests/b', 'c', 'd'].map(bad);
    expect(await run([...mixed, { digest }])).toMatchObject({ result: { digest }, done: 9 });
    expect((await run(Array.from({ length: 9 }, () => bad('blobs/a')))).done).toBe(6);
    expect((await run(Array.from({ length: 99 }, (_, index) => bad('x'.repeat(index))))).done).toBe(15);
  });

  it('tries again, six times in all, each told', async () => {
    const { result, waits, told, done } = await run(Array.from({ length: 9 }, () => busy));
    expect(done).toBe(6);
    expect((result as Failure).code).toBe('registry-unreachable');
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16000]);
    expect(told).toHaveLength(5);
  });

  it('ends with the first success', async () => {
    expect((await run([busy, { digest }])).result).toEqual({ digest });
  });

  it('waits as long as it is asked to', async () => {
    expect((await run([{ failed: 'toomanyrequests: retry-after: 7' }, { digest }])).waits).toEqual([7000]);
  });

  it.each(['denied: write_package', 'something nobody has seen', 'The tag is immutable'])(
    'fails at once for %s',
    async (failed) => {
      const { result, done } = await run([{ failed }, { digest }]);
      expect(result).toBeInstanceOf(Failure);
      expect(done).toBe(1);
    },
  );

  it('takes a lost answer for what it was', async () => {
    const lost: PushTry = { failed: 'read: connection reset by peer' };
    const options = { readTag: async () => digest, isOurs: async (found: string) => found === digest };
    expect(await run([lost], options)).toMatchObject({ result: { digest }, done: 1 });
  });

  it('pushes again over what is not ours, and when the registry does not say', async () => {
    const isOurs = async () => false;
    expect(await run([busy, { digest }], { readTag: async () => digestOf('other'), isOurs })).toMatchObject({
      done: 2,
    });
    const readTag = async () => {
      throw new Failure('registry-failed');
    };
    expect(await run([busy, { digest }], { readTag, isOurs })).toMatchObject({ done: 2 });
  });
});
