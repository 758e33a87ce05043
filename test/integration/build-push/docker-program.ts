import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from '../../../sandbox/index.ts';

export interface DockerProgram {
  /** For the environment of a run: PATH with this program first, and where its plugins are. */
  readonly env: Readonly<Record<string, string>>;
  /** The command lines that it was called with, one a line. */
  argv(): string;
}

/** The Docker command line with buildx, which writes down how it is called. */
export async function dockerProgram(box: Sandbox): Promise<DockerProgram> {
  const docker = await box.tool('docker');
  await box.tool('docker-buildx');
  const folder = mkdtempSync(join(tmpdir(), 'kg-docker-'));
  mkdirSync(join(folder, 'bin'));
  const calls = join(folder, 'argv');
  const script = `#!/bin/sh\nprintf '%s ' "$@" >> '${calls}'; echo >> '${calls}'\nexec '${docker}' "$@"\n`;
  writeFileSync(join(folder, 'bin/docker'), script);
  chmodSync(join(folder, 'bin/docker'), 0o755);
  return {
    env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, DOCKER_CONFIG: box.env.DOCKER_CONFIG! },
    argv: () => (existsSync(calls) ? readFileSync(calls, 'utf8') : ''),
  };
}
