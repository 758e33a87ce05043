import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../sandbox/index.ts';
import { projectRoot } from '../../sandbox/paths.ts';
import { TOKEN } from '../integration/forge/github-double.ts';
import { startWorkflow } from './act.ts';
import { theExample, workflowOf } from './documents.ts';
import { leftOver, runOf } from './engine-view.ts';
import { commented } from './github-comment.ts';
import { type Event, first, project, run, tagged } from './github-project.ts';
import { hostProgram } from './programs.ts';
import { registryView } from './registry-view.ts';

const act = hostProgram('act');
const box: Sandbox = await sandbox();

describe.skipIf(!act)('workflows by act', { concurrent: false }, () => {
  it('README: a tag is released, upgraded from the one before, and not twice', async () => {
    const made = await project();
    const { text } = theExample('README.md#1');

    const missing = await run(made, text, tagged('1.0.0'));
    expect(missing.code, missing.log).toBe(1);
    expect(missing.outputs.release).toMatchObject({ outcome: 'error', reason: 'ledger-missing' });

    const initial = await run(made, first(text), tagged('1.0.0'));
    expect(initial.code, initial.log).toBe(0);

    await made.repository.commit('notes 1.1.0, more of the same', { 'service/more': 'x' });
    await made.repository.tag('1.1.0');
    await made.push();
    const second = await run(made, text, tagged('1.1.0'));
    expect(second.code, second.log).toBe(0);
    expect(second.outputs.release).toMatchObject({
      outcome: 'done',
      reason: 'promoted',
      verdict: 'green',
      decision: 'run',
      'upgrade-base-version': '1.0.0',
      'canonical-version': '1.1.0',
      sequence: '2',
    });
    expect(second.summary).toContain('promote: done `promoted`');
    // What a person sees who opens no group.
    const inSight = second.log.replaceAll(/::group::[\s\S]*?::endgroup::/g, '');
    expect(inSight).toMatch(/^ *Verdict +green$/m);
    expect(inSight).toMatch(/^ *Canonical +1\.1\.0$/m);
    expect(inSight).not.toContain('install: start');
    const view = await registryView(box, await box.startRegistry({ auth: 'htpasswd' }));
    for (const tag of ['1.1.0', '1.1', '1', 'latest'])
      expect(await view.digest(`${made.image}:${tag}`)).toBe(second.outputs.release!.digest);
    const record = await made.ledger('notes/canonical.json');
    expect(JSON.parse(record)).toMatchObject({ version: '1.1.0', sequence: 2 });

    const again = await run(made, text, tagged('1.1.0'));
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.release).toMatchObject({ outcome: 'skipped' });
    expect(await made.ledger('notes/canonical.json')).toBe(record);
    await made.stop();
  });

  it('docs/provenance.md: what GitHub signs is handed over by outputs, and without it nothing is promoted', async () => {
    const made = await project();
    const policy = {
      identities: [{ san: 'https://x/y', issuer: 'https://x', builder: 'https://x/y' }],
      'trusted-root': {},
      repository: `${made.server}/acme/notes`,
      predicates: ['https://slsa.dev/provenance/v1'],
    };
    await made.repository.commit('a policy', { 'policy.json': JSON.stringify(policy) });
    await made.repository.tag('1.1.0');
    await made.push();
    const end = await run(made, first(theExample('docs/provenance.md#2').text), tagged('1.1.0'));
    const attest = end.calls.filter(({ name }) => name === 'actions/attest');
    const { digest } = end.outputs.build!;
    expect(digest, end.log).toMatch(/^sha256:/);
    expect(attest.map((call) => call.with['INPUT_SUBJECT-DIGEST'])).toEqual([digest, digest]);
    expect(attest[1]!.with['INPUT_PREDICATE-PATH']).toBe('knowngood-out/hedgedoc/recipe.predicate.json');
    expect(end.code).toBe(1);
    expect(end.log).toMatch(/knowngood: promote (refused|error) /);
    await made.stop();
  });

  it('docs/provenance.md#3: an image is checked against the documented policy; one that is not there is refused', async () => {
    const made = await project();
    const policy = /```json\n([\s\S]+?)```/.exec(
      readFileSync(join(projectRoot, 'docs/provenance.md'), 'utf8'),
    )!;
    await made.repository.commit('a policy', { 'policy.json': policy[1]! });
    await made.push();
    const event: Event = { ...tagged('main'), ref: 'refs/heads/main' };
    const end = await run(made, workflowOf(theExample('docs/provenance.md#3')), event);
    expect(end.code, end.log).toBe(1);
    expect(end.log).toContain('knowngood: verify refused source-missing');
    expect(end.annotations.join('\n')).toContain(`${made.image}:3.0.1`);
    await made.stop();
  });

  it('docs/testme.md: a maintainer comments, three jobs hand over, one status and one comment come back', async () => {
    const { made, head, world, api, event, more, end } = await commented('!testme');
    const ran = await run(made, theExample('docs/testme.md#1').text, event, more);
    expect(ran.code, ran.log).toBe(0);
    expect(ran.outputs.admit).toMatchObject({ accepted: 'true', sha: head, 'pull-request': '12' });
    expect(ran.log).toContain('knowngood: test done green');
    expect(world.states(head)).toEqual(['pending', 'success']);
    expect(world.ours()).toHaveLength(1);
    expect(api.deviations).toEqual([]);
    await end();
  });

  it('docs/testme.md: a comment that says something else starts nothing', async () => {
    const { made, head, world, event, more, end } = await commented('> !testme\n\nwhat is that?');
    const ran = await run(made, theExample('docs/testme.md#1').text, event, more);
    expect(ran.code, ran.log).toBe(0);
    expect(ran.outputs.admit).toMatchObject({ outcome: 'skipped', accepted: 'false' });
    expect(world.states(head)).toEqual([]);
    expect(world.ours()).toEqual([]);
    expect(ran.log).not.toContain('knowngood: label');
    await end();
  });

  it('settings arrive as they were written, and secrets never in the log', async () => {
    const made = await project({ token: TOKEN });
    const registry = await box.startRegistry({ auth: 'htpasswd' });
    const image = `${registry.host}/acme/notes`;
    await made.repository.commit('labels of build arguments', {
      Dockerfile: `FROM ${await box.base('busybox')}\nARG SPACES\nARG QUOTES\nLABEL spaces=$SPACES quotes=$QUOTES\n`,
    });
    await made.push();
    const workflow = readFileSync(join(import.meta.dirname, 'settings.workflow.yml'), 'utf8');
    const end = await run(
      made,
      workflow,
      { event: 'push', payload: { repository: { default_branch: 'main' } }, ref: 'refs/heads/main' },
      { secrets: { GITHUB_TOKEN: TOKEN, PASSWORD: registry.account.password }, variables: { IMAGE: image } },
    );
    expect(end.code, end.log).toBe(0);
    expect(end.log).not.toContain(registry.account.password);
    expect(end.log).not.toContain(Buffer.from(`robot:${registry.account.password}`).toString('base64'));
    const view = await registryView(box, registry);
    const { Labels: labels } = (await view.config(end.outputs.build!['image-ref']!)).config;
    expect(labels).toMatchObject({
      spaces: 'hello  wide world',
      quotes: `"double" and 'single' $dollar \\back`,
      'org.example.lines': 'first\nsecond',
      'org.example.comma': 'a,b=c',
    });
    expect(JSON.parse(end.outputs.build!['staged-tags']!)).toEqual(expect.arrayContaining(['one', 'two']));
    expect(end.log).toContain(`next job: ${end.outputs.build!.digest}`);
    await made.stop();
  });

  it('a cancelled job is an error of ours, and nothing of it stays', async () => {
    const made = await project();
    const [start = ''] = ['#!/bin/sh\nsleep 300\n'];
    await made.repository.commit('never ready', { 'service/start': start });
    await made.repository.tag('1.1.0');
    await made.push();
    const running = await startWorkflow(box, {
      workflow: first(theExample('README.md#1').text),
      ...tagged('1.1.0'),
      sha: await made.commitOf('1.1.0'),
      server: made.server,
      repository: 'acme/notes',
    });
    await until(() => running.log().includes('start 1.1.0'));
    const prefix = await runOf(box, await made.commitOf('1.1.0'));
    running.interrupt();
    const end = await running.end;
    expect(end.code).not.toBe(0);
    expect(end.log).toContain('cancelled');
    expect(await leftOver(box, prefix)).toEqual([]);
    await made.stop();
  });
});

async function until(ready: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!ready()) {
    if (Date.now() > deadline) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
