import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeImage, pushImage } from '../sandbox/image.ts';
import { sandbox } from '../sandbox/index.ts';
import { makeNotesProject, runBundle } from './workspace.ts';

/**
 * `npm run demo`: a container recipe goes all the way from a tag to its canonical record, on a real engine and a real
 * registry; then three things that must not happen are refused.
 */
async function demo(): Promise<void> {
  say('Setting up', 'a container engine and a registry, for this demo only');
  const box = await sandbox();
  // Kept afterwards: these are the paths to look at.
  const root = mkdtempSync(join(tmpdir(), 'knowngood-demo-'));
  try {
    say(
      'engine',
      `${box.engine.kind} ${box.engine.version}${box.engine.found ? ' (yours, used as it is)' : ''}`,
    );
    const image = `${box.registry.host}/demo/notes`;
    const project = await makeNotesProject(root, { base: await box.base('busybox'), image, upTo: '1.0.0' });
    const ledger = join(root, 'ledger');
    const common = ['--repository', project.remote, '--ledger', `file:${ledger}`];
    const run = async (ref: string, args: readonly string[], show = true): Promise<number> => {
      const cwd = await project.checkout(ref);
      if (show) process.stdout.write(`\n$ knowngood ${args.join(' ')}\n`);
      const { code, output } = await runBundle([...args, ...common], { cwd, env: { ...box.env }, show });
      if (!show && code !== 0) process.stdout.write(output);
      return code;
    };

    title('Two releases that are out already');
    expectCode(await run('refs/tags/1.0.0', ['release', '--ledger-init'], false), 0, '1.0.0');
    say('1.0.0', 'released: the first one, nothing to upgrade from');
    await project.release('1.1.0');
    expectCode(await run('refs/tags/1.1.0', ['release'], false), 0, '1.1.0');
    say('1.1.0', 'released: upgraded from 1.0.0 in containers, data kept');

    title('The release of 2.0.0, step by step');
    await project.release('2.0.0');
    expectCode(await run('refs/tags/2.0.0', ['release']), 0, '2.0.0');

    title('Again: a release that is canonical already is skipped');
    expectCode(await run('refs/tags/2.0.0', ['release']), 0, '2.0.0 again');

    title('Refused 1: "upgrading" 2.0.0 to itself on a pull request; an older base is chosen instead');
    await project.repository.branch('topic');
    const head = await project.repository.commit('docs: say more', {
      'README.md': '# notes\n\nKeeps notes, and keeps them well.\n',
    });
    await project.push(`${head}:refs/pull/7/head`);
    expectCode(
      await run('refs/pull/7/head', ['step-back', '--pull-request', '7', '--version', '2.0.0']),
      0,
      'the pull request',
    );

    title('Refused 2: a version tag that holds something else is never overwritten');
    await project.repository.git('checkout', '-q', 'main');
    await project.repository.commit('notes 2.1.0', { 'service/version': '2.1.0\n' });
    await project.repository.tag('2.1.0');
    await project.push('main', '2.1.0');
    const foreign = await makeImage([[{ path: 'somebody-elses', content: 'bytes' }]]);
    await pushImage(box.registry.host, 'demo/notes', '2.1.0', foreign);
    expectCode(await run('refs/tags/2.1.0', ['release']), 1, 'the overwrite');

    title('Refused 3: a commit that is no release is not promoted');
    await project.repository.commit('notes: work in progress', { 'service/version': '2.2.0-dev\n' });
    await project.push('main');
    expectCode(await run('refs/heads/main', ['change', 'promote', '--version', '2.2.0']), 1, 'the promotion');

    title('What is known to be good now');
    process.stdout.write(readFileSync(join(ledger, 'notes', 'canonical.json'), 'utf8'));
    process.stdout.write(`
Look at:
  ${join(ledger, 'notes')}   canonical.json, promotions.ndjson (audit trail), runs.ndjson
  ${join(root, 'checkouts')}   each run's knowngood-out: dossier, outputs.env, logs
`);
  } finally {
    await box.stop();
  }
}

function title(text: string): void {
  process.stdout.write(`\n\u001b[1m━━ ${text}\u001b[0m\n`);
}

function say(what: string, text: string): void {
  process.stdout.write(`   ${what}: ${text}\n`);
}

function expectCode(code: number, expected: number, what: string): void {
  if (code !== expected) throw new Error(`${what} ended with exit code ${code}, expected ${expected}`);
}

await demo();
process.exit(0);
