import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notesService, releases } from '../../demo/notes-service.ts';
import { makeRepository, type Repository, sandbox } from '../../sandbox/index.ts';
import { runWorkflow, type WorkflowEnd } from './act.ts';
import { theExample } from './documents.ts';
import { type Gitea, startGitea } from './gitea.ts';
import { onMain } from './github-project.ts';
import { hostProgram } from './programs.ts';
import { type RegistryView, registryView } from './registry-view.ts';

const there = hostProgram('act') && hostProgram('gitea');
const box = await sandbox();

describe.skipIf(!there)(
  'the documented fleet, whose repositories, ledger and mirrors are on a real Gitea',
  () => {
    let gitea: Gitea;
    let robin: { login: string; token: string };
    let view: RegistryView;
    let image: string;
    let notes: Repository;
    let upstream: Repository;
    let fleet: Repository;

    beforeAll(async () => {
      gitea = await startGitea();
      robin = await gitea.person('robin');
      view = await registryView(box, await box.startRegistry({ auth: 'htpasswd' }));
      image = `${box.registry.host}/fleet${process.pid}`;
      notes = await service('notes', `${image}/notes`);
      upstream = await service('plausible', `${image}/plausible`);
      await onGitea('ledger');
      await onGitea('plausible-mirror');
      fleet = await made('fleet', {
        'fleet.yml': adapted(theExample('docs/sweep.md#1').text),
        'recipes/plausible.yml': (await upstream.git('show', 'main:knowngood.yml')).replace(
          'recipe: notes\n',
          '',
        ),
      });
    });
    afterAll(() => gitea?.stop());

    /** The documents' names, and what they are here. */
    const adapted = (text: string): string =>
      text
        .replaceAll('https://git.example.org/ops/ledger', `${gitea.url}/robin/ledger`)
        .replaceAll('https://github.com/acme/notes', `${gitea.url}/robin/notes`)
        .replaceAll('https://git.example.org/mirror/plausible', `${gitea.url}/robin/plausible-mirror`)
        .replaceAll('https://git.example.com/coop/plausible', `${gitea.url}/robin/plausible`)
        .replaceAll('ghcr.io/acme/notes', `${image}/notes`);

    const remote = (name: string): string =>
      `${gitea.url.replace('//', `//robin:${robin.token}@`)}/robin/${name}.git`;

    const onGitea = (name: string): Promise<unknown> =>
      gitea.api(robin.token, 'POST', '/user/repos', { name, default_branch: 'main' });

    async function made(name: string, files: Readonly<Record<string, string>>): Promise<Repository> {
      await onGitea(name);
      const repository = await makeRepository(join(mkdtempSync(join(tmpdir(), 'knowngood-fleet-')), name));
      await repository.commit(`begin ${name}`, files);
      await repository.git('push', '-q', remote(name), 'main');
      return repository;
    }

    async function service(name: string, itsImage: string): Promise<Repository> {
      const names = { base: await box.base('busybox'), image: itsImage };
      const repository = await made(name, notesService(releases[0]!, names));
      await release(repository, name, '1.0.0');
      return repository;
    }

    async function release(repository: Repository, name: string, version: string): Promise<void> {
      await repository.commit(`${name} ${version}`, { 'service/more': version });
      await repository.tag(version);
      await repository.git('push', '-q', remote(name), 'main', '--tags');
    }

    const weekly = async (workflow: string): Promise<WorkflowEnd> =>
      runWorkflow(box, {
        ...onMain('schedule'),
        workflow,
        server: gitea.url,
        repository: 'robin/fleet',
        sha: await fleet.git('rev-parse', 'main'),
        secrets: { GITHUB_TOKEN: robin.token, LEDGER_TOKEN: robin.token },
        env: { GITHUB_API_URL: `${gitea.url}/api/v1` },
      });

    const canonical = async (recipe: string): Promise<{ version: string; subject: { digest: string } }> => {
      const file = `/repos/robin/ledger/contents/${recipe}/canonical.json?ref=main`;
      const { content } = await gitea.api<{ content: string }>(robin.token, 'GET', file);
      return JSON.parse(Buffer.from(content, 'base64').toString());
    };

    const refs = async (name: string): Promise<string> => notes.git('ls-remote', remote(name));

    it('docs/sweep.md#2: weekly, with a mirror that is brought up to date first', async () => {
      const workflow = theExample('docs/sweep.md#2').text;
      const before = await refs('plausible');
      // "`ledger-init: true` creates it, once."
      const first = await weekly(workflow.replace(/^( *)step: sweep$/m, '$&\n$1ledger-init: true'));
      expect(first.code, first.log).toBe(0);
      expect(first.log).toContain('knowngood: sweep done');
      for (const recipe of ['notes', 'plausible']) {
        const digest = await view.digest(`${image}/${recipe}:1.0.0`);
        expect(await canonical(recipe)).toMatchObject({ version: '1.0.0', subject: { digest } });
      }
      expect(await refs('plausible-mirror')).toBe(before);
      expect(await refs('plausible')).toBe(before);
      expect(first.log).not.toContain(robin.token);
      expect(first.artifact('sweep', 'site/index.html')).toContain('bluesky-pds');
      const lines = first.artifact('sweep', 'knowngood-out/results.ndjson').trim().split('\n');
      const results = lines.map((line) => JSON.parse(line) as { recipe: string; outcome: string });
      expect(results.map(({ recipe, outcome }) => `${recipe} ${outcome}`).sort()).toEqual([
        'bluesky-pds skipped',
        'notes promoted',
        'plausible promoted',
      ]);
    });

    it('docs/sweep.md#3: a plan, a job for each recipe that has something, and what they came to', async () => {
      await release(upstream, 'plausible', '1.1.0');
      const end = await weekly(theExample('docs/sweep.md#3').text);
      expect(end.code, end.log).toBe(0);
      expect(JSON.parse(end.outputs.plan!.matrix!)).toMatchObject([
        { include: [{ recipe: 'plausible', version: '1.1.0' }] },
      ]);
      expect(await canonical('plausible')).toMatchObject({ version: '1.1.0' });
      expect(await canonical('notes')).toMatchObject({ version: '1.0.0' });
      expect(end.log).toContain('plausible: promoted (1.0.0 → 1.1.0)');
    });
  },
);
