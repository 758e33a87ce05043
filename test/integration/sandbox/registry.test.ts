import { afterEach, describe, expect, it } from 'vitest';
import { makeImage, pushImage } from '../../../sandbox/image.ts';
import { faultProxy, type RunningRegistry, sandbox } from '../../../sandbox/index.ts';

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function registry(options: Parameters<Awaited<ReturnType<typeof sandbox>>['startRegistry']>[0]) {
  const box = await sandbox();
  const started = await box.startRegistry(options);
  open.push(started);
  return { box, started };
}

const basic = ({ account }: RunningRegistry, password = account.password) =>
  `Basic ${Buffer.from(`${account.username}:${password}`).toString('base64')}`;

const ping = (host: string, authorization?: string) =>
  fetch(`http://${host}/v2/`, { headers: authorization ? { authorization } : {} });

describe('a registry with htpasswd', () => {
  it('asks for Basic credentials, and takes only the right ones', async () => {
    const { started } = await registry({ auth: 'htpasswd' });
    const asked = await ping(started.host);
    expect(asked.status).toBe(401);
    expect(asked.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect((await ping(started.host, basic(started))).status).toBe(200);
    expect((await ping(started.host, basic(started, 'wrong'))).status).toBe(401);
  });
});

describe('a registry with tokens', () => {
  const token = async (realm: string, scope: string, authorization?: string, method = 'GET') => {
    const url = `${realm}?service=sandbox-registry&scope=${encodeURIComponent(scope)}`;
    return fetch(url, { method, headers: authorization ? { authorization } : {} });
  };

  it('names a realm on its own host, refuses POST there, and gives tokens that it then takes', async () => {
    const { started } = await registry({ auth: 'token' });
    const asked = await ping(started.host);
    expect(asked.status).toBe(401);
    expect(asked.headers.get('www-authenticate')).toContain(`realm="http://${started.host}/token"`);
    const realm = `http://${started.host}/token`;
    expect((await token(realm, 'repository:a/b:pull', undefined, 'POST')).status).toBe(405);
    expect((await token(realm, 'repository:a/b:pull', basic(started, 'wrong'))).status).toBe(401);

    const list = `http://${started.host}/v2/a/b/tags/list`;
    const given = async (authorization?: string) => {
      const answer = await token(realm, 'repository:a/b:pull', authorization);
      return `Bearer ${((await answer.json()) as { token: string }).token}`;
    };
    const known = await fetch(list, { headers: { authorization: await given(basic(started)) } });
    expect(known.status).toBe(404);
    const anonymous = await fetch(list, { headers: { authorization: await given() } });
    expect(anonymous.status).toBe(401);
    expect(started.requests.length).toBeGreaterThan(5);
  });

  it('lets docker log in, push and pull', async () => {
    const { box, started } = await registry({ auth: 'token' });
    const { command } = await import('../../../sandbox/command.ts');
    const from = await box.base('busybox');
    const target = `${started.host}/private/tool:1`;
    const docker = (...args: string[]) =>
      command(['docker', ...args], { env: { ...process.env, ...box.env } });
    await docker('tag', from, target);
    await expect(docker('push', target)).rejects.toThrow(/denied|unauthorized|authori/);
    const { username, password } = started.account;
    await docker('login', '-u', username, '-p', password, started.host);
    expect(await docker('push', target)).toContain('digest: sha256:');
    await docker('rmi', target);
    await docker('pull', target);
    await docker('logout', started.host);
  });
});

describe('the fault proxy', () => {
  async function proxied(seed?: number) {
    const box = await sandbox();
    const proxy = await faultProxy(box.registry.host, seed === undefined ? {} : { seed });
    open.push(proxy);
    const image = await makeImage([[{ path: 'a', content: 'a'.repeat(5000) }]]);
    await pushImage(proxy.host, 'fault/proxy', '1', image);
    const manifest = `http://${proxy.host}/v2/fault/proxy/manifests/${image.digest}`;
    const get = () => fetch(manifest, { headers: { accept: image.mediaType } });
    proxy.clear();
    return { proxy, get, image };
  }

  it('passes everything on and records it', async () => {
    const { proxy, get, image } = await proxied();
    expect(Buffer.from(await (await get()).arrayBuffer()).equals(image.manifest)).toBe(true);
    expect(proxy.requests).toMatchObject([
      { method: 'GET', path: `/v2/fault/proxy/manifests/${image.digest}`, status: 200 },
    ]);
    expect(proxy.requests[0]?.headers.accept).toBe(image.mediaType);
  });

  it('answers with a status as often as it was told, with headers', async () => {
    const { proxy, get } = await proxied();
    proxy.fault({
      path: /manifests/,
      method: 'GET',
      times: 2,
      how: { status: 429, headers: { 'retry-after': '1' } },
    });
    const first = await get();
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '1']);
    expect([(await get()).status, (await get()).status]).toEqual([429, 200]);
  });

  it.each(['reset', 'reset-mid-body'] as const)('%s breaks the connection', async (how) => {
    const { proxy, get } = await proxied();
    proxy.fault({ how });
    await expect(get().then((answer) => answer.arrayBuffer())).rejects.toThrow();
    expect((await get()).status).toBe(200);
  });

  it('loses the answer after the server acted', async () => {
    const { proxy, image } = await proxied();
    proxy.fault({ method: 'PUT', path: /manifests\/lost$/, how: 'cut-after' });
    await expect(pushImage(proxy.host, 'fault/proxy', 'lost', image)).rejects.toThrow();
    const there = await fetch(`http://${proxy.host}/v2/fault/proxy/manifests/lost`, {
      headers: { accept: image.mediaType },
    });
    expect(there.status).toBe(200);
  });

  it('changes one byte and nothing else', async () => {
    const { proxy, get, image } = await proxied();
    proxy.fault({ how: 'corrupt' });
    const bytes = Buffer.from(await (await get()).arrayBuffer());
    expect(bytes.length).toBe(image.manifest.length);
    expect(bytes.filter((byte, n) => byte !== image.manifest[n]).length).toBe(1);
  });

  it('draws the same faults from the same seed', async () => {
    const row = async () => {
      const { proxy, get } = await proxied(7);
      proxy.fault({ probability: 0.5, times: Number.POSITIVE_INFINITY, how: { status: 503 } });
      const statuses: number[] = [];
      for (let n = 0; n < 12; n++) statuses.push((await get()).status);
      return statuses;
    };
    const first = await row();
    expect(await row()).toEqual(first);
    expect(new Set(first)).toEqual(new Set([200, 503]));
  });
});
