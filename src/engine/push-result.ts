import { type Digest, isDigest } from '../oci/digest.ts';
import { type EngineMessage, readMessages } from './message-stream.ts';
import type { PushTry } from './push-retry.ts';

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

/** Reads the engine's answer to a push to its end: what the engine named, or its words about the failure. */
export async function readPushAnswer(
  chunks: AsyncIterable<Uint8Array>,
  tag: string,
  onMessage: (message: EngineMessage) => void,
): Promise<PushTry> {
  let failed: string | undefined;
  let digest: Digest | undefined;
  for await (const message of readMessages(chunks)) {
    onMessage(message);
    digest = pushedDigest(message, tag) ?? digest;
    failed ??= message.error?.message ?? message.unreadable;
  }
  if (failed !== undefined) return { failed };
  // A stream that was cut is not a refusal: what the registry has decides, then another try.
  return digest ? { digest } : { failed: 'unexpected EOF: the engine named no digest' };
}
