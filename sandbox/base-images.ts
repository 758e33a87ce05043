import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './command.ts';
import { basePackages } from './engine-programs.ts';
import { digestOf, type Entry, type Image, type ImageConfig, type ImageOptions, makeImage } from './image.ts';
import { sandboxFolder } from './paths.ts';
import { tool } from './tools.ts';

/**
 * `busybox`: a shell and small programs. `node`: those and Node 24. `plugin`: those, git, docker's command line,
 * compose and buildx, which is all that the Drone plugin needs beside its own files.
 */
export type BaseImage = 'busybox' | 'node' | 'plugin';

/** Makes a base image out of programs of this machine and its distribution; no registry of images is needed. */
export async function makeBaseImage(name: BaseImage): Promise<Image> {
  const config: ImageConfig = { Env: [containerPath], Cmd: ['sh'], WorkingDir: '/' };
  const layers = [await busyboxLayer()];
  if (name !== 'busybox') layers.push(await nodeLayer());
  if (name === 'plugin') layers.push(await pluginLayer());
  return kept(name, layers, { config });
}

const containerPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Static busybox, its applets as links in /bin, and the few files that a container's programs look for. */
export async function busyboxLayer(): Promise<Entry[]> {
  const program = join((await basePackages()).root, 'bin/busybox');
  const applets = (await command([program, '--list'])).trim().split('\n');
  const links = applets.filter((applet) => applet !== 'busybox');
  return [
    ...['bin', 'etc', 'root', 'usr', 'usr/bin', 'var'].map((path): Entry => ({ path, folder: true })),
    { path: 'tmp', folder: true, mode: 0o1777 },
    { path: 'bin/busybox', from: program, mode: 0o755 },
    ...links.map((applet): Entry => ({ path: `bin/${applet}`, linkTo: 'busybox' })),
    { path: 'usr/bin/env', linkTo: '../../bin/busybox' },
    {
      path: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
    },
    { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
  ];
}

async function nodeLayer(): Promise<Entry[]> {
  const { path } = await tool('node24');
  return [
    ...(await withLibraries([[path, 'usr/local/bin/node']])),
    // Without it the C library would ask a name server for `localhost`.
    { path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
  ];
}

async function pluginLayer(): Promise<Entry[]> {
  const [docker, compose, buildx] = [
    await tool('docker'),
    await tool('docker-compose'),
    await tool('docker-buildx'),
  ];
  const core = (await command(['git', '--exec-path'])).trim();
  const git = (await command(['sh', '-c', 'command -v git'])).trim();
  const plugins = 'usr/local/lib/docker/cli-plugins';
  const remotes = ['git-remote-http', 'git-remote-https'].map((name) => join(core, name));
  const programs: [string, string][] = [
    [docker.path, 'usr/local/bin/docker'],
    [compose.path, `${plugins}/docker-compose`],
    [buildx.path, `${plugins}/docker-buildx`],
    [git, 'usr/bin/git'],
    ...remotes.filter((path) => existsSync(path)).map((path): [string, string] => [path, path.slice(1)]),
  ];
  const trust = '/etc/ssl/certs/ca-certificates.crt';
  return [
    ...(await withLibraries(programs)),
    { path: 'usr/share/git-core/templates', folder: true },
    ...['git-upload-pack', 'git-receive-pack'].map(
      (name): Entry => ({ path: `usr/bin/${name}`, linkTo: 'git' }),
    ),
    ...(existsSync(trust) ? [{ path: trust.slice(1), from: trust }] : []),
  ];
}

/** Programs under their paths in the image, and every library that the loader would load for them on this machine. */
export async function withLibraries(
  programs: readonly (readonly [from: string, to: string])[],
): Promise<Entry[]> {
  const libraries = new Set<string>();
  for (const [from] of programs) {
    const shown = await command(['ldd', from], { env: { PATH: process.env.PATH, LC_ALL: 'C' } });
    for (const match of shown.matchAll(/(\/\S+) \(0x/g)) libraries.add(match[1]!);
  }
  return [
    ...programs.map(([from, path]): Entry => ({ path, from, mode: 0o755 })),
    ...[...libraries].sort().map((from): Entry => ({ path: from.slice(1), from, mode: 0o755 })),
  ];
}

/** An image made once and kept in `.sandbox/images` as long as what it is made of stays the same. */
async function kept(
  name: string,
  layers: readonly (readonly Entry[])[],
  options: ImageOptions,
): Promise<Image> {
  const sources = layers.flat().map((entry) => ('from' in entry ? statSync(entry.from).mtimeMs : 0));
  const key = digestOf(JSON.stringify([layers, options, sources])).slice(7, 23);
  const folder = join(sandboxFolder, 'images', `${name}-${key}`);
  if (!existsSync(folder)) {
    const image = await makeImage(layers, options);
    const fresh = `${folder}.${process.pid}`;
    mkdirSync(fresh, { recursive: true });
    for (const { digest, bytes } of [image.config, ...image.layers])
      writeFileSync(join(fresh, digest), bytes);
    writeFileSync(join(fresh, 'manifest.json'), image.manifest);
    try {
      renameSync(fresh, folder);
    } catch {
      // Somebody else was first, with the same bytes.
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  const manifest = readFileSync(join(folder, 'manifest.json'));
  const parsed = JSON.parse(manifest.toString()) as {
    mediaType: string;
    config: { digest: string };
    layers: { digest: string }[];
  };
  const blob = ({ digest }: { digest: string }) => ({ digest, bytes: readFileSync(join(folder, digest)) });
  const { mediaType, config, layers: blobs } = parsed;
  return { digest: digestOf(manifest), mediaType, manifest, config: blob(config), layers: blobs.map(blob) };
}
