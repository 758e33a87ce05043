// Stands for other people's actions where a workflow is run without the network: what they do for the workflow, with
// git and files. Called as `other-actions.cjs <owner/name>` by the stand-ins that `act.ts` writes.
const { execFileSync } = require('node:child_process');
const { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, statSync } = require('node:fs');
const { basename, join } = require('node:path');

const input = (name) => process.env[`INPUT_${name.toUpperCase()}`] ?? '';
const workspace = process.env.GITHUB_WORKSPACE;
const artifacts = process.env.KNOWNGOOD_TEST_ARTIFACTS;
const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' };
const git = (...args) => execFileSync('git', args, { cwd: workspace, stdio: 'inherit', env });

/** The ref of the event, detached and one commit deep; the token stays in the configuration unless told otherwise. */
function checkout() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_REF: ref } = process.env;
  mkdirSync(workspace, { recursive: true });
  git('init', '-q', '-b', 'checkout');
  git('remote', 'add', 'origin', `${server}/${repository}`);
  const basic = Buffer.from(`x-access-token:${process.env.KNOWNGOOD_TEST_TOKEN}`).toString('base64');
  const header = `http.${server}/.extraheader`;
  git('config', '--local', header, `AUTHORIZATION: basic ${basic}`);
  const all = input('fetch-depth') === '0';
  const tags = all ? ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'] : [];
  git('fetch', '-q', '--no-tags', ...(all ? [] : ['--depth=1']), 'origin', input('ref') || ref, ...tags);
  git('checkout', '-q', '--detach', 'FETCH_HEAD');
  if (input('persist-credentials') === 'false') git('config', '--local', '--unset-all', header);
}

const actions = {
  'actions/checkout': checkout,
  // One folder: what is in it. One file: itself. More than one: below the folder that they share.
  'actions/upload-artifact': () => {
    const paths = input('path')
      .split('\n')
      .filter((path) => path !== '' && existsSync(join(workspace, path)));
    if (paths.length === 0) return console.log('No files were found with the provided path');
    const to = join(artifacts, input('name'));
    if (paths.length > 1) for (const path of paths) cpSync(join(workspace, path), join(to, path));
    else if (statSync(join(workspace, paths[0])).isDirectory())
      cpSync(join(workspace, paths[0]), to, { recursive: true });
    else cpSync(join(workspace, paths[0]), join(to, basename(paths[0])));
  },
  // By name: into the folder. By pattern: each into a folder of its own there.
  'actions/download-artifact': () => {
    const to = join(workspace, input('path'));
    if (input('pattern') === '') {
      const from = join(artifacts, input('name'));
      if (!existsSync(from)) throw new Error(`Artifact not found for name: ${input('name')}`);
      return cpSync(from, to, { recursive: true });
    }
    const begin = input('pattern').replace(/\*$/, '');
    for (const name of readdirSync(artifacts).filter((one) => one.startsWith(begin)))
      cpSync(join(artifacts, name), join(to, name), { recursive: true });
  },
};

const [, , name] = process.argv;
const given = Object.entries(process.env).filter(([key]) => key.startsWith('INPUT_'));
appendFileSync(
  join(artifacts, 'calls.ndjson'),
  `${JSON.stringify({ name, with: Object.fromEntries(given) })}\n`,
);
// Those that only prepare or sign are recorded, and do nothing.
actions[name]?.();
