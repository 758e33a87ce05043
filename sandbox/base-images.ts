import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './command.ts';
import { basePackages } from './engine-programs.ts';
import { type Entry, type Image, makeImage } from './image.ts';

export type BaseImage = 'busybox';

/** Makes a base image out of the distribution's packages; no registry of images is needed. */
export async function makeBaseImage(name: BaseImage): Promise<Image> {
  switch (name) {
    case 'busybox':
      return makeImage([await busyboxLayer()], { config: { Env: [containerPath], Cmd: ['sh'] } });
  }
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
    { path: 'bin/busybox', content: readFileSync(program), mode: 0o755 },
    ...links.map((applet): Entry => ({ path: `bin/${applet}`, linkTo: 'busybox' })),
    { path: 'usr/bin/env', linkTo: '../../bin/busybox' },
    {
      path: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
    },
    { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
  ];
}
