import { beforeAll, describe, expect, it } from 'vitest';
import { sandbox } from '../../sandbox/index.ts';
import { DRONE_TOKEN, droneDouble } from '../integration/forge/drone-double.ts';
import { theExample } from './documents.ts';
import { commented } from './github-comment.ts';
import { first, onMain, project, pullRequest, run, tagged } from './github-project.ts';
import { hostProgram } from './programs.ts';
import type { HostedProject } from './project.ts';
import { type RegistryView, registryView } from './registry-view.ts';

const act = hostProgram('act');
const box = await sandbox();

describe.skipIf(!act)('workflows of the documents by act', { concurrent: false }, () => {
  let view: RegistryView;
  beforeAll(async () => {
    view = await registryView(box, await box.startRegistry({ auth: 'htpasswd' }));
  });

  /** A project with its first release made. */
  async function released(): Promise<HostedProject & { image: string }> {
    const made = await project();
    const end = await run(made, first(theExample('README.md#1').text), tagged('1.0.0'));
    expect(end.code, end.log).toBe(0);
    return made;
  }

  async function nextRelease(made: HostedProject, version: string): Promise<void> {
    await made.repository.commit(`notes ${version}, more of the same`, { 'service/more': version });
    await made.repository.tag(version);
    await made.push();
  }

  it('docs/promote.md: test and promotion in jobs of their own, then a person goes back', async () => {
    const made = await released();
    await nextRelease(made, '1.1.0');
    const end = await run(made, theExample('docs/promote.md#2').text, tagged('1.1.0'));
    expect(end.code, end.log).toBe(0);
    expect(end.log).toContain('knowngood: promote done promoted');
    const tested = await view.digest(`${made.image}:1.1.0`);
    expect(tested).toMatch(/^sha256:/);
    expect(await view.digest(`${made.image}:latest`)).toBe(tested);
    expect(JSON.parse(await made.ledger('notes/canonical.json'))).toMatchObject({
      version: '1.1.0',
      subject: { digest: tested },
    });

    const back = onMain('workflow_dispatch', { why: 'notes of "Ω" are lost', to: '' });
    const gone = await run(made, theExample('docs/promote.md#1').text, back);
    expect(gone.code, gone.log).toBe(0);
    expect(gone.log).toContain('knowngood: rollback done rolled-back');
    expect(await view.digest(`${made.image}:latest`)).toBe(await view.digest(`${made.image}:1.0.0`));
    expect(await view.digest(`${made.image}:1.1.0`)).toBe(tested);
    expect(JSON.parse(await made.ledger('notes/canonical.json'))).toMatchObject({
      kind: 'rollback',
      version: '1.0.0',
    });
    await made.stop();
  });

  describe('on a pull request', () => {
    let made: HostedProject & { image: string };
    beforeAll(async () => {
      made = await released();
    });

    it.each(['docs/hosts.md#1', 'docs/test.md#6'])('%s: it is upgraded to, nothing is pushed', async (id) => {
      const tags = await view.tags(made.image);
      const ledger = await made.ledger('notes/runs.ndjson');
      const { event, sha, head } = await pullRequest(made, id === 'docs/hosts.md#1' ? 7 : 8, {
        'service/more': id,
      });
      const end = await run(made, theExample(id).text, event, { sha });
      expect(end.code, end.log).toBe(0);
      expect(end.log).toContain('knowngood: test done green');
      expect(end.log).toContain(head.slice(0, 12));
      expect(end.log).toMatch(/upgrade +pass/);
      expect(await view.tags(made.image)).toEqual(tags);
      expect(await made.ledger('notes/runs.ndjson')).toBe(ledger);
    });

    it('docs/hosts.md#1: one that does not start is refused, which is a red job with the reason on it', async () => {
      const { event, sha } = await pullRequest(made, 9, { 'service/start': '#!/bin/sh\nexit 7\n' });
      const end = await run(made, theExample('docs/hosts.md#1').text, event, { sha });
      expect(end.code).toBe(1);
      expect(end.log).toContain('knowngood: test refused crashed');
      expect(end.annotations.join('\n')).toContain('crashed');
      expect(end.summary).toContain('test: refused');
    });

    it("docs/step-back.md#2: the base is handed to a test of one's own", async () => {
      const content = '#!/bin/sh\necho "our own test starts from $1"\n';
      const own = { 'test-upgrade.sh': { content, mode: 0o755 } };
      const { event, sha } = await pullRequest(made, 10, own);
      const end = await run(made, theExample('docs/step-back.md#2').text, event, { sha });
      expect(end.code, end.log).toBe(0);
      expect(end.outputs.base).toMatchObject({ decision: 'run', 'upgrade-base-tag': '1.0.0' });
      expect(end.log).toContain('our own test starts from 1.0.0');
    });
  });

  it('docs/build-push.md: a tag is built for two platforms and staged, and nothing that people pull moves', async () => {
    const made = await project();
    const base = await box.base('busybox');
    await made.repository.commit('nothing to run', {
      Dockerfile: `FROM ${base}\nCOPY service /service\n`,
    });
    await made.repository.tag('1.1.0');
    await made.push();
    const end = await run(made, theExample('docs/build-push.md#1').text, tagged('1.1.0'));
    expect(end.code, end.log).toBe(0);
    for (const platform of ['linux/amd64', 'linux/arm64'])
      expect(end.log).toContain(`[${platform} 2/2] COPY service /service`);
    const staged = `sha-${(await made.commitOf('1.1.0')).slice(0, 12)}`;
    const tags = ['', '-linux-amd64', '-linux-arm64'].map((platform) => staged + platform);
    expect([...(await view.tags(made.image))].sort()).toEqual(tags);
    await made.stop();
  });

  it('docs/testme.md#2: a comment starts a build of the release branch on Drone', async () => {
    const drone = await droneDouble('Acme/HedgeDoc');
    const { made, head, world, api, event, more, end } = await commented('!testme');
    const ran = await run(made, theExample('docs/testme.md#2').text, event, {
      ...more,
      secrets: { ...more.secrets, DRONE_TOKEN },
      variables: { DRONE_SERVER: drone.url },
    });
    expect(ran.code, ran.log).toBe(0);
    expect(ran.log).not.toContain(DRONE_TOKEN);
    expect(drone.builds).toMatchObject([
      {
        event: 'custom',
        target: 'main',
        params: { KNOWNGOOD_CANDIDATE: head, KNOWNGOOD_PULL_REQUEST: '12' },
      },
    ]);
    // Once when it is admitted, once with the address of the build.
    expect(world.states(head)).toEqual(['pending', 'pending']);
    expect([...drone.deviations, ...api.deviations]).toEqual([]);
    await end();
    await drone.stop();
  });
});
