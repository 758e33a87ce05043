import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { tryCommand } from '../../sandbox/command.ts';
import { projectRoot } from '../../sandbox/paths.ts';
import { examplesOf, ownWorkflows } from './documents.ts';
import { hostProgram } from './programs.ts';

const actionlint = hostProgram('actionlint');
const workflows = [...examplesOf('workflow'), ...ownWorkflows()];

/** What actionlint says, with our action beside the workflow, so that its inputs and outputs are checked too. */
async function lint(text: string): Promise<string[]> {
  const project = mkdtempSync(join(tmpdir(), 'knowngood-lint-'));
  mkdirSync(join(project, '.git'));
  mkdirSync(join(project, 'dist'));
  mkdirSync(join(project, '.github', 'workflows'), { recursive: true });
  copyFileSync(join(projectRoot, 'action.yml'), join(project, 'action.yml'));
  writeFileSync(join(project, 'dist', 'index.js'), '');
  const file = join(project, '.github', 'workflows', 'workflow.yml');
  writeFileSync(file, text.replaceAll(/knowngood\/knowngood@v0\b/g, './'));
  // Its own rules only: what else is installed on a machine must not decide.
  const { code, stdout, stderr } = await tryCommand(
    [actionlint!.path, '-no-color', '-oneline', '-shellcheck=', '-pyflakes=', file],
    { cwd: project },
  );
  if (code > 1) throw new Error(`actionlint could not look: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

describe.skipIf(!actionlint)('actionlint', () => {
  it.each(workflows.map(({ id, text }) => [id, text]))('has nothing to say about %s', async (_, text) => {
    expect(await lint(text)).toEqual([]);
  });

  it('sees a setting that our action does not have', async () => {
    const wrong = workflows[0]!.text.replace(/^( *)step: /m, '$1stepp: x\n$&');
    expect((await lint(wrong)).join('\n')).toContain('input "stepp" is not defined');
  });
});

describe('our own workflows', () => {
  it.each(ownWorkflows().map(({ id, text }) => [id, text]))('%s trusts commits only', (_, text) => {
    const used = [...text.matchAll(/\buses: (\S+)(.*)/g)].map(([, action, rest]) => `${action}${rest}`);
    expect(used.length).toBeGreaterThan(0);
    for (const action of used) expect(action).toMatch(/^(\.\/$|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/);
  });

  it.each(ownWorkflows().map(({ id, text }) => [id, text]))('%s starts from no permission', (_, text) => {
    expect((parse(text) as { permissions: unknown }).permissions).toEqual({});
  });
});

it.each(examplesOf('workflow').map(({ id, text }) => [id, text]))(
  '%s starts from no permission',
  (_, text) => {
    expect((parse(text) as { permissions: unknown }).permissions).toEqual({});
  },
);
