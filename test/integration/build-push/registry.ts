import { createHttp } from '../../../src/http/client.ts';
import { systemClock } from '../../../src/http/clock.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { createRegistry } from '../../../src/registry/client.ts';
import type { ImageContents, Registry } from '../../../src/registry/registry.ts';

/** What somebody else sees: a client of its own, that remembers nothing of ours. */
export function outsider(account?: { username: string; password: string }): Registry {
  const http = createHttp({ clock: systemClock });
  return createRegistry({ http, clock: systemClock, credentials: async () => account });
}

export async function tagDigest(image: string, tag: string): Promise<Digest | undefined> {
  return (await outsider().head(parseReference(`${image}:${tag}`)))?.digest;
}

export async function tagsOf(image: string): Promise<readonly string[]> {
  return [
    ...(await outsider()
      .tags(parseReference(image))
      .catch(() => [])),
  ].sort();
}

export async function contentsAt(reference: string): Promise<ImageContents> {
  const contents = await outsider().contents(parseReference(reference));
  if (!contents) throw new Error(`${reference} is not there`);
  return contents;
}
