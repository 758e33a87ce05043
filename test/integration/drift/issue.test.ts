import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeImage } from '../../../sandbox/image.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { makeScene, put, runDrift, type Scene } from './world.ts';

interface Issue {
  readonly number: number;
  readonly user: { readonly id: number; readonly login: string };
  title: string;
  body: string;
  state: 'open' | 'closed';
  updated_at: string;
  readonly html_url: string;
}

const me = { id: 7, login: 'drift-bot' };
const stranger = { id: 8, login: 'stranger' };

/** The issues of one repository, as Gitea and Forgejo serve them (`/api/v1`, swagger.v1.json), and as GitHub does. */
class Forge {
  readonly issues: Issue[] = [];
  readonly writes: string[] = [];
  private server: Server | undefined;
  url = '';

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://x');
        const answer = this.answer(request.method ?? 'GET', url, body === '' ? {} : JSON.parse(body));
        response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer ?? { message: 'Not Found' }));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    this.server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server?.close();
  }

  add(user: Issue['user'], body: string): Issue {
    const number = this.issues.length + 1;
    const issue: Issue = {
      number,
      user,
      title: 'x',
      body,
      state: 'open',
      updated_at: '2026-01-01T00:00:00Z',
      html_url: `${this.url}/acme/app/issues/${number}`,
    };
    this.issues.push(issue);
    return issue;
  }

  private answer(method: string, url: URL, body: Partial<Issue>): unknown {
    const path = url.pathname.replace(/^\/api\/v[13]/, '');
    if (path === '/user') return me;
    if (path === '/repos/acme/app/releases') return [];
    if (path === '/repos/acme/app/issues' && method === 'GET') {
      const page = Number(url.searchParams.get('page') ?? '1');
      return page > 1 ? [] : this.issues.filter(({ state }) => state === 'open');
    }
    if (path === '/repos/acme/app/issues' && method === 'POST') {
      this.writes.push('open');
      const issue = this.add(me, String(body.body));
      issue.title = String(body.title);
      return issue;
    }
    const number = /^\/repos\/acme\/app\/issues\/(\d+)$/.exec(path)?.[1];
    const issue = this.issues.find((one) => one.number === Number(number));
    if (method === 'PATCH' && issue !== undefined) {
      this.writes.push(`edit ${number}`);
      return Object.assign(issue, body, { updated_at: '2026-01-02T00:00:00Z' });
    }
    return undefined;
  }
}

let box: Sandbox;
let scene: Scene;
let forge: Forge;
beforeAll(async () => {
  box = await sandbox();
});
beforeEach(async () => {
  forge = new Forge();
  await forge.start();
  scene = await makeScene(box.registry.host);
  await scene.release('1.0.0');
  await scene.promote('1.0.0');
});
afterEach(() => {
  forge.stop();
  scene.stop();
});

const run = (kind: string, now = '2026-01-10T00:00:00Z') =>
  runDrift(
    scene,
    {
      checks: 'canonical',
      'report-to': 'issue',
      forge: kind,
      'forge-url': kind === 'github' ? `${forge.url}/api/v3` : forge.url,
      'forge-token': 'token-of-the-bot',
    },
    { now: Date.parse(now) },
  );

describe.each(['gitea', 'forgejo', 'github'])('the issue on %s', (kind) => {
  it('is opened, left alone, rewritten and closed, and is always the one', async () => {
    // Somebody else's issue with our marker is nothing of ours.
    forge.add(stranger, '<!-- knowngood:drift app -->\nmine');
    expect((await run(kind)).log).toContain('No issue: there is nothing to tell.');

    const evil = await makeImage([[{ path: 'version', content: 'evil' }]]);
    await put(scene.image, '1.0.0', evil);
    expect((await run(kind)).failure).toBeUndefined();
    expect(forge.writes).toEqual(['open']);
    const issue = forge.issues[1]!;
    expect(issue.title).toBe('Drift of app: one finding');
    expect(issue.body).toContain('digest-drift');
    expect(issue.body.startsWith('<!-- knowngood:drift app -->')).toBe(true);

    expect((await run(kind)).log).toContain('The issue says this already.');

    await scene.release('1.1.0', { unpublished: true });
    issue.updated_at = '2026-01-10T00:00:00Z';
    expect((await run(kind, '2026-01-10T01:00:00Z')).log).toContain(
      'The issue was rewritten less than four hours ago',
    );
    await run(kind, '2026-01-10T05:00:00Z');
    expect(forge.writes).toEqual(['open', 'edit 2']);
    expect(issue.body).toContain('new-release');

    await scene.repository.git('tag', '-d', '1.1.0');
    const good = await scene.release('1.0.1', { unpublished: true });
    await scene.repository.git('tag', '-d', '1.0.1');
    expect(good.digest).toMatch(/^sha256/);
    await put(scene.image, '1.0.0', (await original())!);
    await run(kind, '2026-01-11T00:00:00Z');
    expect(issue.state).toBe('closed');
    expect(forge.issues[0]?.body).toBe('<!-- knowngood:drift app -->\nmine');
  });

  it('is not closed by an outage', async () => {
    const issue = forge.add(me, '<!-- knowngood:drift app -->\n<!-- knowngood:drift-state a b -->');
    const found = await runDrift(scene, {
      checks: 'canonical',
      'report-to': 'issue',
      forge: kind,
      'forge-url': kind === 'github' ? `${forge.url}/api/v3` : forge.url,
      'forge-token': 'token-of-the-bot',
      repository: `${scene.root}/gone`,
    });
    expect(found.result?.outcome).toBe('error');
    expect(issue.state).toBe('open');
  });
});

async function original() {
  return makeImage([[{ path: 'version', content: '1.0.0' }]], {
    config: { Labels: { 'org.opencontainers.image.version': '1.0.0', 'dev.knowngood.version': '1.0.0' } },
  });
}
