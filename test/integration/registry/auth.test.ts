import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultProxy, type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { at, client, push, tagged, testImage } from './client.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox({ engine: 'none' });
});
afterAll(async () => {
  await box?.stop();
});

describe('a registry with passwords', () => {
  it('takes ours, asked for once, and shows it to nobody', async () => {
    const guarded = await box.startRegistry({ auth: 'htpasswd' });
    const proxy = await faultProxy(guarded.host);
    const { registry, masked } = client({ [proxy.host]: guarded.account });
    const image = await testImage('basic');
    const reference = tagged(proxy.host, 'basic/a', '1');
    expect(await push(registry, reference, image)).toBe(image.digest);
    expect(await registry.head(reference)).toMatchObject({ digest: image.digest });
    const basic = `Basic ${Buffer.from(`${guarded.account.username}:${guarded.account.password}`).toString('base64')}`;
    const sent = proxy.requests.map((request) => request.headers.authorization);
    expect(sent[0]).toBeUndefined();
    expect(new Set(sent.slice(1))).toEqual(new Set([basic]));
    expect(masked).toContain(guarded.account.password);
    expect(masked).toContain(basic.slice('Basic '.length));
    await proxy.stop();
    await guarded.stop();
  });

  it('refuses a wrong one, or none, in one try with what to do', async () => {
    const guarded = await box.startRegistry({ auth: 'htpasswd' });
    const proxy = await faultProxy(guarded.host);
    const image = await testImage('basic');
    for (const [accounts, remedy, requests] of [
      [{ [proxy.host]: { username: 'robot', password: 'wrong-password' } }, 'registry-password', 3],
      [{}, 'forks have no credentials', 2],
      [{ 'other.example': guarded.account }, 'forks have no credentials', 2],
    ] as const) {
      proxy.clear();
      const { registry, retries } = client(accounts);
      const failure = await push(registry, tagged(proxy.host, 'basic/b', '1'), image).catch(
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({
        code: 'registry-denied',
        outcome: 'error',
        remedy: expect.stringContaining(remedy),
      });
      expect(String(failure)).not.toContain('wrong-password');
      expect(retries).toEqual([]);
      // A look for the first blob, once more with the password, and the upload, whose answer has words.
      expect(proxy.requests).toHaveLength(requests);
    }
    await proxy.stop();
    await guarded.stop();
  });
});

describe('a registry with tokens', () => {
  it('gives one token for each repository and action, used until it ends', async () => {
    const guarded = await box.startRegistry({ auth: 'token', expiresIn: 300 });
    const { registry, clock, masked } = client({ [guarded.host]: guarded.account });
    const image = await testImage('token');
    await push(registry, tagged(guarded.host, 'token/a', '1'), image);
    await push(registry, tagged(guarded.host, 'token/a', '2'), image);
    const scopes = () =>
      tokensOf(guarded.requests).map(({ path }) =>
        new URL(path, 'http://x').searchParams.getAll('scope').join(' '),
      );
    expect(scopes()).toEqual(['repository:token/a:pull,push']);
    await registry.head(tagged(guarded.host, 'token/a', '1'));
    await registry.head(tagged(guarded.host, 'token/b', '1'));
    await registry.tags(at(guarded.host, 'token/a'));
    expect(scopes()).toEqual([
      'repository:token/a:pull,push',
      'repository:token/a:pull',
      'repository:token/b:pull',
    ]);
    expect(
      await registry.mountBlob(
        at(guarded.host, 'token/b'),
        image.layers[0]!.digest as `sha256:${string}`,
        'token/a',
      ),
    ).toBe(true);
    expect(scopes().at(-1)).toBe('repository:token/b:pull,push repository:token/a:pull');
    await clock.sleep(271_000);
    await registry.head(tagged(guarded.host, 'token/a', '1'));
    expect(scopes()).toHaveLength(5);
    // Only the token server sees the password, the registry only tokens; both are masked.
    const { username, password } = guarded.account;
    const basic = Buffer.from(`${username}:${password}`).toString('base64');
    for (const { path, headers } of guarded.requests) {
      const seen = headers.authorization;
      if (path.startsWith('/token')) expect(seen).toBe(`Basic ${basic}`);
      else if (seen !== undefined) expect(masked).toContain(String(seen).replace('Bearer ', ''));
    }
    await guarded.stop();
  });

  it('has a token that ends before its time replaced, once', async () => {
    const guarded = await box.startRegistry({ auth: 'token' });
    const { registry } = client({ [guarded.host]: guarded.account });
    const image = await testImage('early');
    const reference = tagged(guarded.host, 'token/early', '1');
    await push(registry, reference, image);
    // The same registry behind a gate that takes each token for one request only.
    const gate = await faultProxy(guarded.host);
    const spent = new Set<unknown>();
    const challenge = `Bearer realm="http://${guarded.host}/token",service="registry",error="invalid_token"`;
    const refused = { status: 401, headers: { 'www-authenticate': challenge } };
    const manifest = { status: 200, headers: { 'content-type': image.mediaType }, body: image.manifest };
    gate.fault({
      times: Number.POSITIVE_INFINITY,
      how: ({ headers }) => {
        const token = headers.authorization;
        if (token === undefined || spent.has(token)) return refused;
        spent.add(token);
        return manifest;
      },
    });
    const other = client({ [gate.host]: guarded.account }, { trustedRealms: [guarded.host] });
    const asked = tagged(gate.host, 'token/early', '1');
    for (let i = 0; i < 3; i++)
      expect(await other.registry.manifest(asked)).toMatchObject({ digest: image.digest });
    expect(gate.requests.map(({ status }) => status)).toEqual([401, 200, 401, 200, 401, 200]);
    await gate.stop();
    await guarded.stop();
  });

  it('is read without a login where it lets anybody read, and refuses the rest with what to do', async () => {
    const guarded = await box.startRegistry({ auth: 'token' });
    const image = await testImage('public');
    await push(
      client({ [guarded.host]: guarded.account }).registry,
      tagged(guarded.host, 'public/a', '1'),
      image,
    );
    const { registry, retries } = client();
    expect(await registry.head(tagged(guarded.host, 'public/a', '1'))).toMatchObject({
      digest: image.digest,
    });
    const denied = { code: 'registry-denied', remedy: expect.stringContaining('forks have no credentials') };
    await expect(registry.head(tagged(guarded.host, 'private/a', '1'))).rejects.toMatchObject(denied);
    await expect(push(registry, tagged(guarded.host, 'public/a', '2'), image)).rejects.toMatchObject(denied);
    expect(retries).toEqual([]);
    await guarded.stop();
  });

  it('refuses a wrong password in one try', async () => {
    const guarded = await box.startRegistry({ auth: 'token' });
    const { registry, retries } = client({
      [guarded.host]: { username: 'robot', password: 'wrong-password' },
    });
    const failure = await registry
      .head(tagged(guarded.host, 'token/a', '1'))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'registry-denied' });
    expect(String(failure)).not.toContain('wrong-password');
    expect(retries).toEqual([]);
    expect(tokensOf(guarded.requests)).toHaveLength(1);
    await guarded.stop();
  });
});

function tokensOf<T extends { readonly path: string }>(requests: readonly T[]): T[] {
  return requests.filter(({ path }) => path.startsWith('/token'));
}
