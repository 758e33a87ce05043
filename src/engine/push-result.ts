import { type Digest, isDigest } from '../oci/digest.ts';
import type { EngineMessage } from './message-stream.ts';

/**
 * The digest that a line of a push names. Docker's own image store sends `aux`; the containerd store and Podman only
 * the status line `1.0: digest: sha256:… size: 528`, which therefore must begin with the tag that is pushed.
 */
export function pushedDigest(message: EngineMessage, tag: string): Digest | undefined {
  const aux = message.aux as { Tag?: unknown; Digest?: unknown } | null | undefined;
  if (aux && aux.Tag === tag && typeof aux.Digest === 'string' && isDigest(aux.Digest)) return aux.Digest;
  const prefix = `${tag}: digest: `;
  if (!message.status?.startsWith(prefix)) return undefined;
  const digest = message.status.slice(prefix.length).split(' ', 1)[0] ?? '';
  return isDigest(digest) ? digest : undefined;
}
