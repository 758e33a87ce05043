import type { Digest } from './digest.ts';

/** What one platform of an image consists of. */
export interface PlatformContent {
  readonly platform: string;
  readonly config: { readonly digest: Digest };
  readonly layers: readonly Digest[];
}

/**
 * Whether two images hold the same content: equal sets of (platform, config digest, layer digests), layers in order.
 * Digests of manifests and indexes do not count: the same image gets another one from another builder, from an added
 * attestation or an added annotation. The caller leaves attestation children out of both lists.
 */
export function sameContent(a: readonly PlatformContent[], b: readonly PlatformContent[]): boolean {
  const left = new Set(a.map(key));
  const right = new Set(b.map(key));
  return left.size === right.size && [...left].every((entry) => right.has(entry));
}

/** The platforms in which two images differ, sorted; for messages. */
export function differingPlatforms(
  a: readonly PlatformContent[],
  b: readonly PlatformContent[],
): readonly string[] {
  const left = new Set(a.map(key));
  const right = new Set(b.map(key));
  const different = [
    ...a.filter((entry) => !right.has(key(entry))),
    ...b.filter((entry) => !left.has(key(entry))),
  ];
  return [...new Set(different.map((entry) => entry.platform))].sort();
}

function key(content: PlatformContent): string {
  return JSON.stringify([content.platform, content.config.digest, ...content.layers]);
}
