import { createHash } from 'node:crypto';
import { extract } from 'tar-stream';

/** A file of an image by its path below a folder: its content, or where it links to, and whether it can be run. */
export type ImageFiles = Readonly<Record<string, string>>;

/** The files, not the folders, of a tar stream below `prefix`. */
export async function filesOfTar(stream: NodeJS.ReadableStream, prefix: string): Promise<ImageFiles> {
  const files: Record<string, string> = {};
  const archive = extract();
  stream.pipe(archive);
  for await (const entry of archive) {
    const { name, type, linkname, mode } = entry.header;
    const hash = createHash('sha256');
    for await (const chunk of entry) hash.update(chunk as Buffer);
    const path = name.replace(/^\.?\//, '');
    if (!path.startsWith(prefix) || type === 'directory') continue;
    const run = ((mode ?? 0) & 0o100) === 0 ? '' : ' x';
    files[path.slice(prefix.length)] =
      type === 'symlink' ? `-> ${linkname}` : `${type} ${hash.digest('hex').slice(0, 12)}${run}`;
  }
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
}
