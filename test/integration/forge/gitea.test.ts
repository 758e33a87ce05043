import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ForgeServer } from './forge-server.ts';
import { giteaDouble, giteaVersions } from './gitea-double.ts';
import { type RunOptions, type Scene, type StepRun, scene, withDossier } from './scene.ts';
import { mallory, type Pull, robin, type User, World } from './world.ts';

let play: Scene;

beforeAll(async () => {
  play = await scene();
});
afterAll(() => play.stop());

describe.each(giteaVersions)('%s', (version) => {
  const kind = version.startsWith('forgejo') ? 'forgejo' : 'gitea';
  let world: World;
  let forge: ForgeServer;
  let pull: Pull;

  beforeEach(async () => {
    world = new World({ id: 50, login: 'ci' });
    forge = await giteaDouble(world, version);
    pull = world.pull({ number: 12, head: play.head });
  });
  afterEach(async () => {
    await forge.stop();
    // Each request that we sent, and each answer that we were given, is one that the forge's description has.
    expect(forge.deviations).toEqual([]);
  });

  const say = (body: string, by: User = robin, options: RunOptions = {}): Promise<StepRun> => {
    const comment = world.comment(12, by, body);
    return play.run('testme', forge, { comment, forge: kind, ...options });
  };
  let runs = 900;
  const report = (jobResult: string, dossier: boolean): Promise<StepRun> => {
    const runId = ++runs;
    const workspace = play.workspace();
    if (dossier) withDossier(workspace, runId, play.head);
    const settings = { candidate: play.head, 'pull-request': '12', 'job-result': jobResult };
    return play.run('report', forge, { settings, workspace, runId, forge: kind });
  };

  it('admits, reports, edits in place', async () => {
    expect((await say('!testme')).outputs).toMatchObject({ sha: play.head, trusted: 'true' });
    expect(world.reactions).toEqual([{ comment: world.comments[0]!.id, content: 'eyes' }]);
    expect((await report('success', true)).reason).toBe('reported');
    expect((await report('failure', false)).reason).toBe('reported');
    expect(world.states(play.head)).toEqual(['pending', 'success', 'error']);
    expect(world.ours()).toHaveLength(1);
    expect(world.ours()[0]!.body).toContain('❌ No answer');
  });

  it('is recognised by asking, where nobody names it', async () => {
    const run = await say('!testme', robin, { settings: { forge: '' } });
    expect(run.reason).toBe('admitted');
    const first = forge.requests.filter(({ path }) => path.endsWith('/version'));
    expect(first.length).toBeGreaterThan(0);
    // What a server is must not cost a credential.
    for (const { authorization } of first) expect(authorization).toBeUndefined();
  });

  it.each<[string, string, () => void]>([
    ['denied-permission', '!testme', () => world.permissions.set('robin', 'read')],
    ['sha-required', '!testme', () => Object.assign(pull, { headRepository: null })],
    ['sha-required', '!testme', () => Object.assign(pull, { headRepository: 5000 })],
    ['head-moved', '!testme 0123456789012345678901234567890123456789', () => undefined],
    ['pull-request-locked', '!testme', () => Object.assign(pull, { locked: true })],
    ['busy', '!testme', () => world.status(play.head, 'pending', { targetUrl: 'https://ci.example.org/1' })],
  ])('refuses once: %s', async (reason, body, change) => {
    change();
    const run = await say(body);
    expect(run).toMatchObject({ outcome: 'skipped', reason });
    expect(world.ours()).toHaveLength(1);
    expect(world.ours()[0]!.body).toContain(`(\`${reason}\`)`);
  });

  it('refuses what changes the test, on a later page of its files too', async () => {
    Object.assign(pull, { headRepository: 5000, files: ['a', 'b', 'c', 'd', 'compose.yml'] });
    expect((await say(`!testme ${play.head}`)).reason).toBe('harness-changed');
  });

  describe('where our token may not ask for permissions', () => {
    beforeEach(async () => {
      await forge.stop();
      forge = await giteaDouble(world, version, 'membership');
    });

    it('takes members of the organisation', async () => {
      world.members.add('robin');
      expect((await say('!testme')).reason).toBe('admitted');
    });

    it('takes nobody else', async () => {
      expect((await say('!testme', mallory)).reason).toBe('denied-permission');
    });

    it('takes no other account under a member’s login', async () => {
      world.members.add('robin');
      world.users.splice(world.users.indexOf(robin), 1, { id: 12345, login: 'robin' });
      expect((await say('!testme')).reason).toBe('denied-permission');
    });
  });
});
