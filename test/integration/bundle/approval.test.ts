import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeNotesProject } from '../../../demo/workspace.ts';
import { gitServer } from '../../../sandbox/git-server.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { newKey } from '../../unit/provenance/scene.ts';
import { type Job, pluginJob } from './ci-job.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

const page = 'https://git.example.org/acme/notes';

/** A release that its tag's build tests and signs, and that `drone build promote` publishes later. */
describe('a release that somebody has to approve, on Drone', () => {
  it('is tested once: the approving build takes the signed result, and needs no engine', async () => {
    const root = mkdtempSync(join(tmpdir(), 'knowngood-approval-'));
    const image = `${box.registry.host}/approval${process.pid}/notes`;
    const project = await makeNotesProject(root, { base: await box.base('busybox'), image, upTo: '1.0.0' });
    const server = await gitServer(join(root, 'remote'));
    const { key, pem } = newKey();
    const policy = JSON.stringify({
      keys: [{ keyid: key.publicKey.keyid, builder: 'https://drone.example.org/#release' }],
      repository: page,
      predicates: ['https://slsa.dev/provenance/v1', 'https://knowngood.dev/predicate/recipe/v1'],
    });
    const job = async (event: string, number: string, env: Record<string, string> = {}): Promise<Job> =>
      pluginJob(
        event,
        await project.checkout('refs/tags/1.0.0'),
        { ...box.env, ...env },
        {
          DRONE_TAG: '1.0.0',
          DRONE_COMMIT_SHA: await project.repository.git('rev-parse', '1.0.0^{commit}'),
          DRONE_COMMIT_REF: 'refs/tags/1.0.0',
          DRONE_REMOTE_URL: `${server.url}/notes.git`,
          DRONE_REPO_LINK: page,
          DRONE_BUILD_NUMBER: number,
          ...env,
        },
      );
    const settings = { ledger: `file:${join(root, 'ledger')}`, recipe: 'notes', image };

    const tagged = await job('drone-tag', '41');
    const tested = await tagged.step({
      ...settings,
      step: 'label, build-push, step-back, test, attest',
      'ledger-init': 'true',
      'signing-key': pem,
    });
    expect(tested.output, tested.output).toContain('knowngood: attest done signed');
    expect(tested.code).toBe(0);

    const noEngine = { DOCKER_HOST: `unix://${join(root, 'nothing.sock')}` };
    const unsigned = await (await job('drone-promote', '42', noEngine)).step({
      ...settings,
      step: 'promote',
    });
    expect(unsigned.lastLine).toBe('knowngood: promote error dossier-incomplete');
    expect(unsigned.output).toContain('`policy`');
    expect(unsigned.code).toBe(2);

    const approved = await (await job('drone-promote', '43', noEngine)).step({
      ...settings,
      step: 'promote',
      policy,
      require: 'signature, provenance',
    });
    expect(approved.output, approved.output).toContain('knowngood: promote done promoted');
    expect(approved.output).toContain('Tested by the run drone-');
    expect(approved.code).toBe(0);
    const record = JSON.parse(readFileSync(join(root, 'ledger', 'notes', 'canonical.json'), 'utf8'));
    expect(record).toMatchObject({
      version: '1.0.0',
      evidence: { run: expect.stringContaining('41'), tiers: { install: 'pass' } },
    });
    await server.stop();
  });
});
