import { Failure } from '../outcome.ts';
import { digestOf } from './digest.ts';
import type { ImageManifest } from './manifest.ts';
import { type MadeManifest, makeImageManifest } from './manifest-bytes.ts';

/** Labels that only knowngood writes: those of an earlier release do not stay behind. */
const own = 'dev.knowngood.';

/**
 * The config blob with these labels and this time (RFC 3339) instead of its own; everything else stays, so that the
 * image runs as it did. The bytes are a function of the old ones and the labels: relabelling twice gives one digest.
 */
export function relabelledConfig(
  config: Uint8Array,
  labels: Readonly<Record<string, string>>,
  created: string,
): Uint8Array {
  const body = object(JSON.parse(new TextDecoder().decode(config)));
  const inner = body.config == null ? {} : object(body.config);
  const before = inner.Labels == null ? {} : object(inner.Labels);
  const kept = Object.entries(before).filter(([key]) => !key.startsWith(own));
  const merged = { ...Object.fromEntries(kept), ...labels };
  const sorted = Object.fromEntries(Object.entries(merged).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  const relabelled = { ...body, created, config: { ...inner, Labels: sorted } };
  return new TextEncoder().encode(JSON.stringify(relabelled));
}

/** The manifest over the same layers with this config. */
export function relabelledManifest(manifest: ImageManifest, config: Uint8Array): MadeManifest {
  const { mediaType, layers, annotations } = manifest;
  return makeImageManifest({
    mediaType,
    layers,
    ...(mediaType.includes('.oci.') ? { annotations } : {}),
    config: { mediaType: manifest.config.mediaType, digest: digestOf(config), size: config.length },
  });
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure('manifest-invalid', 'The image config has no object where one belongs.');
  }
  return value as Record<string, unknown>;
}
