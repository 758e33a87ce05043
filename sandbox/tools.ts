import { chmodSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './command.ts';
import { libraryFolders } from './engine-programs.ts';
import { distributionPackages, suitePackages, type Unpacked, unpackedOnce } from './packages.ts';

/**
 * Programs that tests use to look at results with other eyes than ours. `docker`, `docker-buildx` and
 * `docker-compose` are the newest known to run on Debian 12's libraries; `-old` is the release before the last.
 */
const suiteTools = {
  crane: { name: 'crane', version: '0.20.7' },
  oras: { name: 'oras', version: '1.3.3' },
  cosign: { name: 'cosign', version: '2.5.0' },
  'cosign-3': { name: 'cosign', version: '3.1.1' },
  docker: { name: 'docker-cli', version: '28.5.2' },
  'docker-buildx': { name: 'docker-buildx', version: '0.29.1' },
  'docker-buildx-old': { name: 'docker-buildx', version: '0.13.1' },
  'docker-compose': { name: 'docker-compose', version: '2.40.3' },
  'docker-compose-old': { name: 'docker-compose', version: '2.26.1' },
} as const;

/** Programs of the distribution, with the libraries they need. */
const distributionTools = { skopeo: ['skopeo'], chromium: ['chromium', 'fonts-dejavu-core'] } as const;

/** Node releases, from the packages that carry the plain program. */
const nodeTools = { node20: '20.20.2', node22: '22.22.2', node24: '24.21.0' } as const;

export type ToolName = keyof typeof suiteTools | keyof typeof distributionTools | keyof typeof nodeTools;

export interface Tool {
  /** An executable that needs no environment. */
  readonly path: string;
  readonly version: string;
}

/** A pinned program, fetched at first use into `.sandbox` and kept there. */
export async function tool(name: ToolName): Promise<Tool> {
  if (name in nodeTools) return nodeTool(name as keyof typeof nodeTools);
  if (name in distributionTools) return distributionTool(name as keyof typeof distributionTools);
  const wanted = suiteTools[name as keyof typeof suiteTools];
  const unpacked = await suitePackages(`${name}-${wanted.version}`, [wanted], ['trixie', 'forky', 'sid']);
  const program = name.replace(/-(old|3)$/, '');
  return { path: programIn(unpacked, program), version: unpacked.versions[wanted.name] ?? '' };
}

function programIn({ root }: Unpacked, program: string): string {
  // Chromium's plain name is a script that asks for an installation; the program is beside its libraries.
  const folders = [
    `usr/lib/${program}`,
    'usr/bin',
    'usr/sbin',
    'usr/libexec/docker/cli-plugins',
    'usr/lib/docker/cli-plugins',
  ];
  const path = folders
    .map((folder) => join(root, folder, program))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error(`no program ${program} below ${root}`);
  return path;
}

async function distributionTool(name: keyof typeof distributionTools): Promise<Tool> {
  const unpacked = await distributionPackages(name, distributionTools[name]);
  const { root, versions } = unpacked;
  const wrapper = join(root, 'wrapped', name);
  if (!existsSync(wrapper)) {
    mkdirSync(join(root, 'wrapped'), { recursive: true });
    const options = { skopeo: ` --policy '${join(root, 'etc/containers/policy.json')}'`, chromium: '' }[name];
    const folders = libraryFolders(root).flatMap((folder) => [folder, join(folder, 'pulseaudio')]);
    const lines = [
      '#!/bin/sh',
      `export LD_LIBRARY_PATH='${folders.join(':')}'`,
      `exec '${programIn(unpacked, name)}'${options} "$@"`,
    ];
    // Written aside first: another process may be about to run it.
    const fresh = `${wrapper}.${process.pid}`;
    writeFileSync(fresh, `${lines.join('\n')}\n`);
    chmodSync(fresh, 0o755);
    renameSync(fresh, wrapper);
  }
  return { path: wrapper, version: versions[name] ?? '' };
}

async function nodeTool(name: keyof typeof nodeTools): Promise<Tool> {
  const version = nodeTools[name];
  const carrier = `node-linux-${process.arch}`;
  const { root } = await unpackedOnce(`npm/${name}-${version}`, async (folder) => {
    const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
    await command(['npm', 'install', '--prefix', folder, ...options, `${carrier}@${version}`], {
      cwd: folder,
    });
    return { [carrier]: version };
  });
  return { path: join(root, 'node_modules', carrier, 'bin/node'), version };
}

/** Puts docker's plugins where a docker command finds them: into `cli-plugins` of its configuration folder. */
export async function linkPlugin(
  name: 'docker-buildx' | 'docker-compose',
  dockerConfig: string,
): Promise<Tool> {
  const found = await tool(name);
  const link = join(dockerConfig, 'cli-plugins', name);
  mkdirSync(join(dockerConfig, 'cli-plugins'), { recursive: true });
  try {
    symlinkSync(found.path, link);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
  return found;
}
