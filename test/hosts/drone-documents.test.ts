import { createHash, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sandbox } from '../../sandbox/index.ts';
import { githubDouble, TOKEN } from '../integration/forge/github-double.ts';
import { NAME, OWNER, World } from '../integration/forge/world.ts';
import { newKey } from '../unit/provenance/scene.ts';
import { pipelineOf, theExample } from './documents.ts';
import type { PipelineEnd } from './drone.ts';
import {
  type DroneEvent,
  type DroneProject,
  type DroneWorld,
  droneWorld,
  shown,
  tag,
} from './drone-project.ts';
import { leftOver, runOf } from './engine-view.ts';
import { front } from './front.ts';
import { hostProgram } from './programs.ts';
import { ledgerToken } from './project.ts';
import { alsoAt, engineOverTcp, hostAddress } from './reachable.ts';

const box = await sandbox();
const address = hostProgram('drone-runner-docker') && (await hostAddress(box));

describe.skipIf(!address)("pipelines of the documents by Drone's own runner", () => {
  let world: DroneWorld;
  beforeAll(async () => {
    world = await droneWorld(box, address!);
  });
  afterAll(() => world?.stop());

  const init = { environ: { PLUGIN_LEDGER_INIT: 'true' } };

  // One after the other: later ones build on what earlier ones released.
  describe('after a first release', () => {
    const slug = `${OWNER}/${NAME}`;
    let made: DroneProject;
    let released: PipelineEnd;
    beforeAll(async () => {
      made = await world.project('documents', { open: true, slug });
      released = await run('README.md#2', tag('1.0.0'), init);
    });
    afterAll(() => made?.end());

    const run = (id: string, event: DroneEvent, more: Parameters<DroneWorld['run']>[3] = {}) =>
      world.run(id, made, { slug, ...event }, more);

    it('README.md#2: a tag goes all the way', async () => {
      expect(released.status, shown(released)).toBe('success');
      const digest = await world.view.digest(`${made.image}:1.0.0`);
      expect(digest).toMatch(/^sha256:/);
      expect(await world.view.digest(`${made.image}:latest`)).toBe(digest);
    });

    it('drift.yml, docs/drift.md#2: looks by night, and says what it found', async () => {
      const ids = ['drone-plugin/examples/drift.yml', 'docs/drift.md#2'] as const;
      const night = { event: 'cron', ref: 'refs/heads/main', cron: 'nightly' } as const;
      const clean = await run(ids[0], night);
      expect(clean.status, shown(clean)).toBe('success');
      expect(shown(clean)).toContain('VERDICT=clean');
      expect(shown(clean)).not.toContain('new-release');

      await made.repository.commit('a test of our own', {
        'test-upgrade.sh': {
          content: '#!/bin/sh\necho "our own test starts from [$1]"\n',
          mode: 0o755,
        },
      });
      await made.repository.tag('1.1.0');
      await made.push();
      for (const id of ids) {
        const found = await run(id, night);
        expect(found.status, shown(found)).toBe('success');
        expect(shown(found)).toContain('new-release');
        expect(found.steps.at(-1)!.card).toMatchObject({ data: { title: 'knowngood drift' } });
      }
    });

    /** A pull request whose service starts like this. */
    async function pullRequest(number: number, start: string): Promise<DroneEvent> {
      const { repository, remote } = made;
      await repository.branch(`topic-${number}`);
      const content = { content: start, mode: 0o755 };
      const sha = await repository.commit('a change', { 'service/start': content });
      await repository.git('push', '-q', remote, `${sha}:refs/pull/${number}/head`);
      await repository.git('checkout', '-q', 'main');
      return { event: 'pull_request', ref: `refs/pull/${number}/head`, sha };
    }

    it('docs/test.md#7: what a cancelled build left goes with the next, which is upgraded to', async () => {
      const never = await pullRequest(7, '#!/bin/sh\nsleep 300\n');
      const running = await world.start(theExample('docs/test.md#7').text, made, { slug, ...never });
      await until(() => running.log('test').includes('install: start'));
      const prefix = await runOf(box, never.sha!);
      running.cancel();
      const killed = await running.end;
      expect(killed.steps.find(({ name }) => name === 'test')!.status, shown(killed)).toBe('killed');

      const tags = await world.view.tags(made.image);
      const start = await made.repository.git('show', 'main:service/start');
      const green = await run('docs/test.md#7', await pullRequest(8, `${start}\n# more\n`));
      expect(green.status, shown(green)).toBe('success');
      expect(shown(green)).toContain('knowngood: test done green');
      expect(shown(green)).toMatch(/upgrade +pass/);
      expect(await world.view.tags(made.image)).toEqual(tags);
      expect(await leftOver(box, prefix)).toEqual([]);
    });

    it('docs/test.md#7: a red one is a red step, with the reason on its card', async () => {
      const red = await run('docs/test.md#7', await pullRequest(9, '#!/bin/sh\nexit 7\n'));
      expect(red.steps.at(-1)).toMatchObject({ status: 'failure', code: 1 });
      expect(shown(red)).toContain('knowngood: test refused crashed');
      expect(red.steps.at(-1)!.card).toMatchObject({ data: { outcome: 'refused', reason: 'crashed' } });
    });

    it('steps of docs/build-push.md, provenance.md and step-back.md, as one pipeline', async () => {
      const parts = ['docs/build-push.md#2', 'docs/provenance.md#1', 'docs/step-back.md#3'].map(theExample);
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const signing_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const end = await run('', { ...tag('1.1.0'), secrets: { signing_key } }, { text: pipelineOf(parts) });
      expect(end.status, shown(end)).toBe('success');
      expect(end.steps.map(({ name, status }) => [name, status])).toEqual(
        ['clone', 'image', 'attest', 'base', 'upgrade'].map((name) => [name, 'success']),
      );
      expect(shown(end)).toContain('knowngood: attest done signed');
      for (const line of signing_key.split('\n').slice(1, 3)) expect(shown(end)).not.toContain(line);
      expect(shown(end)).toContain('our own test starts from [1.0.0]');
    });

    it("drone-plugin/docs.md#1: the marketplace page's step releases what is there", async () => {
      const text = pipelineOf([theExample('drone-plugin/docs.md#1')]);
      const end = await run('', tag('1.1.0'), { text });
      expect(end.status, shown(end)).toBe('success');
      expect(shown(end)).toContain('knowngood: promote done promoted');
      expect(JSON.parse(await made.ledger('notes/canonical.json'))).toMatchObject({ version: '1.1.0' });
    });

    it('docs/provenance.md#4: an image that is not there is refused', async () => {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const key = publicKey.export({ type: 'spki', format: 'der' });
      const keyid = createHash('sha256').update(key).digest('base64');
      const policy = {
        keys: [{ keyid, builder: 'https://drone.example.org/#release' }],
        repository: 'https://git.example.org/acme/hedgedoc',
        predicates: ['https://slsa.dev/provenance/v1'],
      };
      await made.repository.commit('a policy', { 'policy.json': JSON.stringify(policy) });
      await made.push();
      const text = pipelineOf([theExample('docs/provenance.md#4')]);
      const end = await run('', { event: 'push', ref: 'refs/heads/main' }, { text });
      expect(end.steps.at(-1)).toMatchObject({ status: 'failure', code: 1 });
      expect(shown(end)).toContain('knowngood: verify refused source-missing');
    });

    it('testme.yml: a custom build tests the candidate on an engine of its own, and tells the forge', async () => {
      await made.repository.branch('topic-12');
      const head = await made.repository.commit('change', { 'service/more': 'x' });
      await made.repository.git('push', '-q', made.remote, `${head}:refs/pull/12/head`);
      await made.repository.git('checkout', '-q', 'main');
      const said = new World();
      said.pull({ number: 12, head });
      said.status(head, 'pending');
      const api = await githubDouble(said);
      const forge = await front(made.server, api.url);
      const stopForge = await alsoAt(address!, [forge.url]);
      const engine = await engineOverTcp(box, address!);
      const dind = await world.images.forwarder(engine.host);
      const id = 'drone-plugin/examples/testme.yml';
      // An engine within an engine needs rights that the sandbox's has not; the service hands on to the sandbox's.
      const text = theExample(id)
        .text.replace('docker.io/library/docker:28-dind', dind)
        .replace('privileged: true', 'privileged: false');
      const end = await run(
        id,
        {
          ...{ event: 'custom', ref: 'refs/heads/main' },
          url: `${world.near(forge.url)}/${slug}.git`,
          params: { KNOWNGOOD_CANDIDATE: head, KNOWNGOOD_PULL_REQUEST: '12' },
          secrets: { forge_token: TOKEN },
        },
        {
          text,
          environ: {
            PLUGIN_INSECURE_REGISTRIES: [forge.url.slice(7), box.registry.host].map(world.near).join(','),
          },
        },
      );
      expect(end.status, shown(end)).toBe('success');
      expect(shown(end)).toContain(`This build is of ${head}, the head of #12`);
      expect(shown(end)).toContain('knowngood: test done green');
      expect(shown(end)).not.toContain(TOKEN);
      expect(said.states(head)).toEqual(['pending', 'success']);
      expect(said.ours()).toHaveLength(1);
      expect(api.deviations).toEqual([]);
      await engine.stop();
      await stopForge();
      await forge.stop();
      await api.stop();
    });
  });

  it('docs/promote.md#3 and #4: a tag is tested, and a person promotes it without a second test', async () => {
    const made = await world.project('hedgedoc');
    const { key, pem } = newKey();
    const policy = {
      keys: [{ keyid: key.publicKey.keyid, builder: 'https://drone.example.org/#release' }],
      repository: `${world.near(made.server)}/acme/notes`,
      predicates: ['https://slsa.dev/provenance/v1', 'https://knowngood.dev/predicate/recipe/v1'],
    };
    await made.repository.commit('whose signatures count', { 'policy.json': JSON.stringify(policy) });
    await made.push();
    const secrets = { signing_key: pem };
    const tested = await world.run('docs/promote.md#3', made, { ...tag('1.0.0'), secrets }, init);
    expect(tested.status, shown(tested)).toBe('success');
    expect(await world.view.digest(`${made.image}:1.0.0`)).toBeUndefined();

    const approved = await world.run('docs/promote.md#4', made, { event: 'promote', ref: 'refs/tags/1.0.0' });
    expect(approved.status, shown(approved)).toBe('success');
    expect(shown(approved)).toContain('Tested by the run ');
    expect(await world.view.digest(`${made.image}:latest`)).toBe(
      await world.view.digest(`${made.image}:1.0.0`),
    );
    expect(JSON.parse(await made.ledger('hedgedoc/canonical.json'))).toMatchObject({ version: '1.0.0' });
    await made.end();
  });

  it('sweep.yml, docs/sweep.md#4: the whole fleet weekly, a leg of it, and then nothing is left', async () => {
    const made = await world.project('sweep');
    const url = world.near(made.server);
    await made.repository.commit('the fleet', {
      'fleet.yml': `ledger: git:${url}/acme/notes.git#ledger
recipes:
  - { recipe: notes, repository: ${url}/acme/notes.git, image: ${world.near(made.image)} }
  - { recipe: bluesky-pds, repository: ${url}/acme/pds.git, enrolled: false, reason: "needs public DNS" }
`,
    });
    await made.push();
    const { username, password } = world.registry.account;
    const registries = JSON.stringify({ [world.near(world.registry.host)]: { username, password } });
    const weekly = {
      event: 'cron',
      ref: 'refs/heads/main',
      cron: 'weekly',
      secrets: { registries },
    } as const;
    const id = 'drone-plugin/examples/sweep.yml';
    const end = await world.run(id, made, weekly, init);
    expect(end.status, shown(end)).toBe('success');
    expect(shown(end)).not.toContain(password);
    expect(shown(end)).not.toContain(ledgerToken);
    expect(await world.view.digest(`${made.image}:1.0.0`)).toMatch(/^sha256:/);
    expect(shown(end)).toMatch(/promoted +1/);

    await made.repository.commit('notes 1.1.0, more of the same', { 'service/more': 'x' });
    await made.repository.tag('1.1.0');
    await made.push();
    const commit = await made.commitOf('1.1.0');
    const leg = await world.run('docs/sweep.md#4', made, {
      ...{ event: 'custom', ref: 'refs/heads/main', secrets: { registries } },
      params: { KNOWNGOOD_RECIPE: 'notes', KNOWNGOOD_CANDIDATE: commit },
    });
    expect(leg.status, shown(leg)).toBe('success');
    expect(shown(leg)).toContain('knowngood: promote done promoted');

    const again = await world.run(id, made, weekly);
    expect(again.status, shown(again)).toBe('success');
    expect(shown(again)).toContain('no-new-version');
    await made.end();
  });
});

async function until(ready: () => boolean): Promise<void> {
  for (let n = 0; !ready(); n++) {
    if (n === 600) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
