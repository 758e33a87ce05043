import { Failure } from '../outcome.ts';
import { normalisePlatform, type Platform } from './platform.ts';
import { lookalikeKey, parseStrictJson } from './strict-json.ts';

/** What we read of an image's config blob. */
export interface ImageConfig {
  /** `undefined` where the config names no operating system or architecture (base images from scratch tools). */
  readonly platform: Platform | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** Reads a config blob; as strict as manifests, because labels are read from it. Fails with `manifest-invalid`. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const body = object(parseStrictJson(bytes, 'The image config'), [
    'architecture',
    'os',
    'variant',
    'config',
    'rootfs',
  ]);
  const config = body.config == null ? {} : object(body.config, ['Labels']);
  const labels = config.Labels == null ? {} : object(config.Labels, []);
  if (Object.values(labels).some((value) => typeof value !== 'string'))
    throw invalid('has a label that is no text');
  const { os, architecture } = body;
  const named =
    typeof os === 'string' && typeof architecture === 'string' && os !== '' && architecture !== '';
  return {
    platform: named
      ? normalisePlatform({
          os,
          architecture,
          variant: text(body.variant),
          osVersion: text(body['os.version']),
        })
      : undefined,
    labels: labels as Record<string, string>,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function object(value: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('has no object where one belongs');
  const lookalike = lookalikeKey(value, known);
  if (lookalike !== undefined) throw invalid(`has the look-alike key ${JSON.stringify(lookalike)}`);
  return value as Record<string, unknown>;
}

function invalid(what: string): Failure {
  return new Failure('manifest-invalid', `The image config ${what}.`);
}
