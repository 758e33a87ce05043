import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { afterEach, describe, expect, it } from 'vitest';
import { faultProxy, sandbox } from '../../../sandbox/index.ts';
import { createEngine } from '../../../src/engine/create-engine.ts';
import type { BuildRequest, Engine, Progress } from '../../../src/engine/engine.ts';
import { systemClock } from '../../../src/http/clock.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { outsider } from '../build-push/registry.ts';
import { engineProxy, type Rewrite } from './proxy.ts';

// Each of these is a trap of dockerode 5 or of the Engine API that was seen to bite; see docs of the room.
const box = await sandbox();
const from = await box.base('busybox');
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const open = (dockerHost = box.dockerHost, signal = new AbortController().signal, clock = systemClock) =>
  createEngine({ dockerHost, env: {}, clock, signal });

function context(dockerfile: string, files: Record<string, string> = {}): () => Readable {
  return () => {
    const archive = pack();
    for (const [name, content] of Object.entries({ Dockerfile: dockerfile, ...files }))
      archive.entry({ name }, content);
    archive.finalize();
    return Readable.from(archive);
  };
}

let number = 0;
const request = (dockerfile: string, more: Partial<BuildRequest> = {}): BuildRequest => ({
  context: context(dockerfile),
  dockerfile: 'Dockerfile',
  tag: `${box.registry.host}/traps/app-${process.pid}-${number++}:1`,
  buildArgs: {},
  labels: {},
  noCache: true,
  pull: false,
  cacheFrom: [],
  ...more,
});
const build = async (engine: Engine, dockerfile: string, more: Partial<BuildRequest> = {}) => {
  const progress: Progress[] = [];
  const asked = request(dockerfile, more);
  const { imageId } = await engine.build(asked, (event) => progress.push(event));
  return {
    imageId,
    tag: asked.tag,
    lines: progress.flatMap(({ line }) => (line === undefined ? [] : [line])),
  };
};

async function between(rewrite: (path: string) => Rewrite | undefined) {
  const proxy = await engineProxy(box.dockerHost, rewrite);
  ends.push(() => proxy.stop());
  return { proxy, engine: await open(proxy.address) };
}
const answersTo = (part: RegExp, rewrite: () => Rewrite) => (path: string) =>
  part.test(path) ? rewrite() : undefined;

describe('what comes back from the engine', () => {
  // BuildKit's words come as base64, the classic builder's as they are.
  it.each([
    ['BuildKit', false],
    ['classic', true],
  ])('may be cut anywhere, in the middle of a character too (%s)', async (_, hideDockerfile) => {
    const bytes: Rewrite = (chunk) => (chunk ? [...chunk].map((byte) => Buffer.from([byte])) : []);
    const { engine } = await between(answersTo(/\/build/, () => bytes));
    const dockerfile = `FROM ${from}\nRUN echo "wörld — ✓"\n`;
    const { lines, imageId } = await build(engine, dockerfile, { hideDockerfile });
    expect(lines).toContain('wörld — ✓');
    expect(imageId).toMatch(/^sha256:/);
  });

  it('may end without a newline', async () => {
    const all: Buffer[] = [];
    // Up to the line that names the image, so that all depends on that one.
    const trimmed = (): Rewrite => (chunk) => {
      if (chunk) all.push(chunk);
      return chunk
        ? []
        : [Buffer.from(/^[\s\S]*?"aux":\{"ID":[^\n]*/.exec(Buffer.concat(all).toString())![0])];
    };
    const { engine } = await between(answersTo(/\/build/, trimmed));
    await expect(build(engine, 'FROM scratch\nCOPY Dockerfile /\n')).resolves.toHaveProperty('imageId');
  });

  it.each([
    ['build', /\/build/],
    ['push', /\/push/],
    ['pull', /\/images\/create/],
  ])('may be the page of a proxy, which is no success (%s)', async (what, path) => {
    const page = (): Rewrite => (chunk) => (chunk ? [] : [Buffer.from('<html>\n<h1>Sign in</h1>\n</html>')]);
    const { engine } = await between(answersTo(path, page));
    const { tag } = await build(await open(), 'FROM scratch\nCOPY Dockerfile /\n');
    const [repository = '', name = ''] = tag.split(/:(?=[^:]*$)/);
    const act = {
      build: () => build(engine, 'FROM scratch\nCOPY Dockerfile /\n'),
      push: () => engine.push(repository, name, undefined, () => {}),
      pull: () => engine.pull(from, undefined, () => {}),
    }[what as 'build' | 'push' | 'pull'];
    await expect(act()).rejects.toMatchObject({ message: expect.stringContaining('<html>') });
  });

  it('may be cut off, which is no success', async () => {
    const cut = (): Rewrite => {
      let seen = 0;
      return (chunk) => {
        seen += chunk?.length ?? 0;
        return chunk && seen < 400 ? [chunk] : [];
      };
    };
    const { engine } = await between(answersTo(/\/build/, cut));
    await expect(build(engine, `FROM ${from}\nRUN true\nRUN echo\n`)).rejects.toMatchObject({
      code: 'engine-failed',
    });
  });

  it('may hold an error under the status 200: a denied push is denied', async () => {
    const guarded = await box.startRegistry({ auth: 'htpasswd' });
    const engine = await open();
    const { tag } = await build(engine, 'FROM scratch\nCOPY Dockerfile /\n', {
      tag: `${guarded.host}/traps/denied:1`,
    });
    expect(tag).toContain(guarded.host);
    await expect(engine.push(`${guarded.host}/traps/denied`, '1', undefined, () => {})).rejects.toMatchObject(
      {
        code: 'registry-denied',
      },
    );
  });

  it('shows output of RUN as text, not as base64', async () => {
    const { lines } = await build(await open(), `FROM ${from}\nRUN echo run-works\n`);
    expect(lines).toEqual(['run-works']);
  });
});

describe('a build', () => {
  it('opens no session, and is given no credential', async () => {
    const { engine, proxy } = await between(() => undefined);
    await build(engine, 'FROM scratch\nCOPY Dockerfile /\n');
    const paths = proxy.passed.map(({ path }) => path);
    expect(paths.filter((path) => /session|grpc/.test(path))).toEqual([]);
    const [asked] = proxy.passed.filter(({ path }) => path.startsWith('/build'));
    expect(asked?.path).toMatch(/[?&]version=2(&|$)/);
    expect(asked?.path).not.toMatch(/session=/);
    expect(asked?.headers['x-registry-auth']).toBeUndefined();
    expect(asked?.headers['x-registry-config']).toBeUndefined();
  });

  it('tells no host that a Dockerfile names who we are', async () => {
    const guarded = await box.startRegistry({ auth: 'htpasswd' });
    const foreign = await faultProxy(guarded.host);
    ends.push(() => foreign.stop());
    const engine = await open();
    // The credential of our own registry is used beside it.
    await engine.pull(`${foreign.host}/x:1`, undefined, () => {}).catch(() => {});
    await expect(build(engine, `FROM ${foreign.host}/evil/x:1\n`)).rejects.toMatchObject({
      code: 'build-failed',
    });
    expect(foreign.requests.length).toBeGreaterThan(0);
    expect(foreign.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  it('ends where it is cancelled', async () => {
    const abort = new AbortController();
    const engine = await open(box.dockerHost, abort.signal);
    const waiting = build(engine, `FROM ${from}\nRUN sleep 600\n`);
    const timer = setTimeout(() => abort.abort(), 1_500);
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    clearTimeout(timer);
  });

  it('leaves no container behind when it fails', async () => {
    const engine = await open();
    const before = (await engine.docker.listContainers({ all: true })).length;
    await build(engine, `FROM ${from}\nRUN exit 3\n`, { hideDockerfile: true }).catch(() => {});
    expect((await engine.docker.listContainers({ all: true })).length).toBe(before);
  });
});

describe('the address', () => {
  it('is the one that was given, whatever the environment of the process says', async () => {
    process.env.DOCKER_HOST = 'tcp://127.0.0.1:1';
    process.env.DOCKER_PATH_PREFIX = '/elsewhere';
    try {
      expect((await (await open()).info()).address).toBe(box.dockerHost);
    } finally {
      delete process.env.DOCKER_HOST;
      delete process.env.DOCKER_PATH_PREFIX;
    }
  });

  it('that nobody answers at is said, with why', async () => {
    await expect(open('unix:///nowhere/docker.sock')).rejects.toMatchObject({
      code: 'engine-unreachable',
      message: expect.stringMatching(
        /unix:\/\/\/nowhere\/docker\.sock \(setting docker-host\): no such socket/,
      ),
    });
    await expect(open('ssh://somebody@example.org')).rejects.toMatchObject({ code: 'engine-unreachable' });
  });

  it('of a service that is still starting is asked again', async () => {
    const early = await engineProxy(box.dockerHost, () => undefined);
    const port = Number(early.address.split(':').at(-1));
    await early.stop();
    const opening = open(early.address);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const late = await engineProxy(box.dockerHost, () => undefined, port);
    ends.push(() => late.stop());
    expect((await (await opening).info()).address).toBe(early.address);
  });
});

describe('a push', () => {
  const pushed = async (engine: Engine, credential?: Parameters<Engine['push']>[2]) => {
    const { tag } = await build(engine, 'FROM scratch\nCOPY Dockerfile /\n');
    const [repository = '', name = ''] = tag.split(/:(?=[^:]*$)/);
    return { repository, name, ended: await engine.push(repository, name, credential, () => {}) };
  };

  it('says that it has no login where it has none: some engines refuse a push that says nothing', async () => {
    const { engine, proxy } = await between(() => undefined);
    await pushed(engine);
    const [asked] = proxy.passed.filter(({ path }) => path.includes('/push'));
    expect(Buffer.from(String(asked?.headers['x-registry-auth']), 'base64').toString()).toBe('{}');
  });

  it('names the host of its login', async () => {
    const { engine, proxy } = await between(() => undefined);
    await pushed(engine, { username: 'ci', password: 'p?>~ü' });
    const [asked] = proxy.passed.filter(({ path }) => path.includes('/push'));
    const sent = Buffer.from(String(asked?.headers['x-registry-auth']), 'base64url').toString();
    expect(JSON.parse(sent)).toEqual({
      username: 'ci',
      password: 'p?>~ü',
      serveraddress: box.registry.host,
    });
  });

  it('carries any password: in base64 for URLs, which is what engines read', async () => {
    const account = { username: 'ci', password: '>>>???~~~ü' };
    const guarded = await box.startRegistry({ auth: 'htpasswd', accounts: [account] });
    const engine = await open();
    const repository = `${guarded.host}/traps/password`;
    await build(engine, 'FROM scratch\nCOPY Dockerfile /\n', { tag: `${repository}:1` });
    await expect(engine.push(repository, '1', account, () => {})).resolves.toHaveProperty('digest');
  });

  it('is not believed that ends without a digest', async () => {
    const silent = (): Rewrite => {
      const all: Buffer[] = [];
      return (chunk) => {
        if (chunk) all.push(chunk);
        const lines = Buffer.concat(all).toString().split('\n');
        return chunk ? [] : [Buffer.from(lines.filter((line) => !/digest/i.test(line)).join('\n'))];
      };
    };
    const { proxy } = await between(answersTo(/\/push/, silent));
    const hasty = { ...systemClock, sleep: async () => {} };
    const engine = await open(proxy.address, undefined, hasty);
    await expect(pushed(engine)).rejects.toMatchObject({ code: 'registry-unreachable' });
  });

  it('takes the digest from the status line where there is no other', async () => {
    const status = (): Rewrite => {
      const all: Buffer[] = [];
      return (chunk) => {
        if (chunk) all.push(chunk);
        const lines = Buffer.concat(all).toString().split('\n');
        return chunk ? [] : [Buffer.from(lines.filter((line) => !line.includes('"aux"')).join('\n'))];
      };
    };
    const { engine } = await between(answersTo(/\/push/, status));
    const { ended, repository, name } = await pushed(engine);
    const there = await outsider().head(parseReference(`${repository}:${name}`));
    expect(ended.digest).toBe(there?.digest);
  });
});

it('the same push twice names the same digest', async () => {
  const engine = await open();
  const { tag } = await build(engine, 'FROM scratch\nCOPY Dockerfile /\n');
  const [repository = '', name = ''] = tag.split(/:(?=[^:]*$)/);
  const first = await engine.push(repository, name, undefined, () => {});
  expect(await engine.push(repository, name, undefined, () => {})).toEqual(first);
  await engine.removeImage(tag);
  await engine.removeImage(tag);
  expect(await engine.image(tag)).toBeUndefined();
});
