import { Failure } from '../outcome.ts';

/** What an image runs on, in Go's names, normalised: `arm64/v8` has no variant, `arm` always has one. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  /** Windows only: entries of one index differ in nothing else. */
  readonly osVersion?: string;
}

const PART = /^[a-z0-9_.-]{1,64}$/;
const TEXT = /^([^()/]+)(?:\(([^()/]+)\))?\/([^/]+)(?:\/([^/]+))?$/;

/** Fails with `setting-invalid` where the text is not `os/architecture[/variant]`. */
export function parsePlatform(text: string): Platform {
  const match = TEXT.exec(text.trim().toLowerCase());
  const [, os, osVersion, architecture, variant] = match ?? [];
  const parts = [os, architecture, variant ?? 'none', osVersion ?? 'none'];
  if (os === undefined || architecture === undefined || !parts.every((part) => PART.test(part ?? ''))) {
    throw new Failure('setting-invalid', `${JSON.stringify(text.slice(0, 100))} is not a platform.`, {
      remedy: 'Write it as os/architecture or os/architecture/variant, for example linux/arm64.',
    });
  }
  return normalisePlatform({ os, architecture, variant, osVersion });
}

/**
 * One spelling for each platform, by the rules that containerd and the Docker command line use, so that the
 * `linux/arm64/v8` of one builder and the `linux/arm64` of another compare as equal.
 */
export function normalisePlatform(platform: {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
}): Platform {
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase();
  const [architecture, variant] = normaliseArchitecture(
    platform.architecture.toLowerCase(),
    (platform.variant ?? '').toLowerCase(),
  );
  return {
    os,
    architecture,
    ...(variant === '' ? {} : { variant }),
    ...(platform.osVersion ? { osVersion: platform.osVersion } : {}),
  };
}

function normaliseArchitecture(architecture: string, variant: string): [string, string] {
  switch (architecture) {
    case 'i386':
      return ['386', ''];
    case 'amd64':
    case 'x86_64':
    case 'x86-64':
      return ['amd64', variant === 'v1' ? '' : variant];
    case 'arm64':
    case 'aarch64':
      return ['arm64', variant === 'v8' || variant === '8' ? '' : variant];
    case 'armhf':
      return ['arm', 'v7'];
    case 'armel':
      return ['arm', 'v6'];
    case 'arm':
      return ['arm', variant === '' ? 'v7' : variant.replace(/^(?=[5-8]$)/, 'v')];
    default:
      return [architecture, variant];
  }
}

/** `linux/amd64`, `linux/arm/v7`, `windows(10.0.17763.1879)/amd64`. */
export function formatPlatform(platform: Platform): string {
  const version = platform.osVersion === undefined ? '' : `(${platform.osVersion})`;
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`;
  return `${platform.os}${version}/${platform.architecture}${variant}`;
}

/** Whether two spellings name one platform. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return comparePlatforms(a, b) === 0;
}

/** A total order for lists that people read and for canonical bytes: by the normalised text. */
export function comparePlatforms(a: Platform, b: Platform): number {
  const left = formatPlatform(normalisePlatform(a));
  const right = formatPlatform(normalisePlatform(b));
  return left < right ? -1 : left > right ? 1 : 0;
}
