import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from '../../sandbox/command.ts';
import type { Sandbox } from '../../sandbox/index.ts';
import { withLock } from '../../sandbox/lock.ts';
import { projectRoot } from '../../sandbox/paths.ts';
import { bundleFolder } from './bundle.ts';

/** Images that pipelines of Drone and Woodpecker are made of; both are in engine and registry. */
export interface PluginImages {
  readonly plugin: string;
  /** Stands for the hosts' own clone steps: the event's ref alone, detached. */
  readonly clone: string;
  /** Stands for a container with an engine in it: hands its port 2375 on to another address. */
  forwarder(to: string): Promise<string>;
}

/**
 * The plugin's image, built from drone-plugin/Dockerfile by docker's command line; its programs come from the
 * sandbox instead of Debian's mirror. Test files side by side wait for the first, and find its layers.
 */
export const buildPlugin = (box: Sandbox): Promise<PluginImages> =>
  withLock(join(tmpdir(), `knowngood-plugin-${box.registry.host}.lock`), () => build(box));

async function build(box: Sandbox): Promise<PluginImages> {
  const folder = mkdtempSync(join(tmpdir(), 'knowngood-plugin-'));
  cpSync(bundleFolder, join(folder, 'dist'), { recursive: true });
  cpSync(join(projectRoot, 'drone-plugin'), join(folder, 'drone-plugin'), { recursive: true });
  const docker = await box.tool('docker');
  await box.tool('docker-buildx');
  const tools = await box.base('plugin');
  const image = async (name: string, context: string, options: readonly string[]): Promise<string> => {
    const reference = `${box.registry.host}/${name}:latest`;
    const env = { ...process.env, ...box.env };
    await command([docker, 'build', '-q', '-t', reference, ...options, context], { env });
    await command([docker, 'push', '-q', reference], { env });
    return reference;
  };
  const entry = async (name: string, entrypoint: readonly string[]): Promise<string> => {
    const context = join(folder, name.replace('/', '-'));
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), `FROM ${tools}\nENTRYPOINT ${JSON.stringify(entrypoint)}\n`);
    return image(name, context, []);
  };
  return {
    plugin: await image('knowngood/knowngood', folder, [
      ...['--build-arg', `TOOLS=${tools}`],
      ...['--file', join(folder, 'drone-plugin/Dockerfile')],
    ]),
    clone: await entry('drone/git', ['sh', '-c', cloning]),
    forwarder: (to) => {
      const [host, port] = to.split(':');
      // It listens late, as an engine does.
      const script = `
        const net = require('net');
        const server = net.createServer((near) => {
          const far = net.connect(${port}, '${host}');
          near.pipe(far).pipe(near);
          near.on('error', () => far.destroy());
          far.on('error', () => near.destroy());
        });
        setTimeout(() => server.listen(2375), 5000);`;
      return entry('docker/dind', ['node', '-e', script]);
    },
  };
}

const cloning = `set -eu
cd "\${DRONE_WORKSPACE:-$CI_WORKSPACE}"
git init -q -b main
git remote add origin "\${DRONE_REMOTE_URL:-$CI_REPO_CLONE_URL}"
git fetch -q --no-tags --depth=50 origin "+\${DRONE_COMMIT_REF:-$CI_COMMIT_REF}:"
git checkout -q --detach FETCH_HEAD
git log -1 --format="HEAD is now at %h %s"`;
