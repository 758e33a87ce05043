import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { command } from '../../sandbox/command.ts';
import { gitEnv, gitServer, makeBareCopy, makeRepository, sandbox } from '../../sandbox/index.ts';
import { projectRoot } from '../../sandbox/paths.ts';
import { runWorkflow } from './act.ts';
import { bundleFolder } from './bundle.ts';
import { hostProgram } from './programs.ts';
import { ledgerToken } from './project.ts';
import { registryView } from './registry-view.ts';

const act = hostProgram('act');
const box = await sandbox();

/** What a release needs of this checkout, with the outside world's names exchanged. */
async function ownFiles(image: string): Promise<Record<string, string>> {
  const tools = await box.base('plugin');
  const files: Record<string, string> = {};
  const take = (path: string): void => {
    files[path] = readFileSync(join(projectRoot, path), 'utf8')
      .replaceAll('ghcr.io/knowngood/knowngood', image)
      .replace('docker.io/library/node:24-trixie-slim', tools)
      .replace('ARG TOOLS=tools', `ARG TOOLS=${tools}`);
  };
  for (const path of ['action.yml', 'knowngood.yml', 'package.json', '.gitignore']) take(path);
  for (const entry of filesBelow(join(projectRoot, 'drone-plugin'))) take(relative(projectRoot, entry));
  for (const entry of filesBelow(bundleFolder))
    files[join('dist', relative(bundleFolder, entry))] = readFileSync(entry, 'utf8');
  return files;
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

it.skipIf(!act)(
  'our own release goes by our own action: image, ledger, and the major tag behind it',
  async () => {
    await box.tool('docker-compose');
    const image = `${box.registry.host}/own${process.pid}/knowngood`;
    const root = mkdtempSync(join(tmpdir(), 'knowngood-own-'));
    const repository = await makeRepository(join(root, 'author'));
    const sha = await repository.commit('everything', await ownFiles(image));
    await repository.tag('v0.1.0');
    const remote = join(root, 'served/knowngood/knowngood.git');
    mkdirSync(join(root, 'served/knowngood'), { recursive: true });
    await makeBareCopy(repository, remote);
    const accounts = [{ username: 'x-access-token', password: ledgerToken }];
    const server = await gitServer(join(root, 'served'), { accounts, openToRead: true });

    const workflow = (path: string): string =>
      readFileSync(join(projectRoot, path), 'utf8').replaceAll('ghcr.io/knowngood/knowngood', image);
    const end = await runWorkflow(box, {
      workflow: workflow('.github/workflows/release.yml'),
      event: 'push',
      payload: { ref: 'refs/tags/v0.1.0', repository: { default_branch: 'main' } },
      ref: 'refs/tags/v0.1.0',
      sha,
      server: server.url,
      repository: 'knowngood/knowngood',
    });
    expect(end.code, end.log).toBe(0);
    expect(end.outputs.promote).toMatchObject({ promoted: 'true', 'canonical-version': '0.1.0' });
    expect(JSON.parse(end.outputs.build!.platforms!)).toEqual(['linux/amd64', 'linux/arm64']);
    const signed = end.calls.find(({ name }) => name === 'actions/attest-build-provenance');
    expect(signed!.with['INPUT_SUBJECT-DIGEST']).toBe(end.outputs.build!.digest);
    const view = await registryView(box, await box.startRegistry({ auth: 'htpasswd' }));
    expect(await view.digest(`${image}:0.1.0`)).toBe(end.outputs.build!.digest);
    const git = (...args: string[]) => command(['git', ...args], { cwd: remote, env: gitEnv() });
    expect((await git('rev-parse', 'refs/tags/v0^{commit}')).trim()).toBe(sha);
    expect(JSON.parse(await git('show', 'knowngood:knowngood/canonical.json'))).toMatchObject({
      tag: 'v0.1.0',
      version: '0.1.0',
    });

    const change = await repository.commit('a change', { 'package.json': '{ "version": "0.0.9" }\n' });
    await repository.git('push', '-q', remote, `${change}:refs/pull/7/merge`);
    const at = (commit: string) => ({ ref: 'topic', sha: commit, repo: { id: 1 } });
    const drift = await runWorkflow(box, {
      workflow: workflow('.github/workflows/drift.yml'),
      event: 'pull_request',
      payload: {
        number: 7,
        pull_request: { number: 7, head: at(change), base: { ...at(sha), ref: 'main' } },
        repository: { id: 1, default_branch: 'main' },
      },
      ref: 'refs/pull/7/merge',
      sha: change,
      server: server.url,
      repository: 'knowngood/knowngood',
    });
    expect(drift.log).toContain('A pull request can change what the tree says');
    expect(drift.log).toMatch(/knowngood: drift (done clean|refused drift)/);
    await server.stop();
  },
);
