import type { Digest } from '../../oci/digest.ts';
import { type Finding, finding } from '../../outcome.ts';
import { compareVersions, parseVersion } from '../version.ts';
import { type Known, open } from './looked-up.ts';

/** One floating tag of the own image: where it belongs and where it is. */
export interface FloatingState {
  readonly image: string;
  readonly tag: string;
  readonly want: { readonly version: string; readonly digest: Digest };
  /** `version`: of the promoted release that has this content. */
  readonly found: Known<{ readonly digest: Digest; readonly version?: string } | undefined>;
}

/** `latest`, `3` and `3.0` are at the highest promoted release of their line. */
export function checkFloating(tags: readonly FloatingState[]): Finding[] {
  return tags.flatMap(({ image, tag, want, found }): Finding[] => {
    const name = `${image}:${tag}`;
    if ('unanswered' in found) return [open(name, found)];
    const both = { expected: want.digest, found: found.known?.digest ?? 'no such tag' };
    if (found.known === undefined) {
      const message = `${name} is not there; it belongs to ${want.version}.`;
      return [finding('floating-behind', 'warning', message, both)];
    }
    const { version, digest } = found.known;
    if (digest === want.digest || version === want.version) return [];
    if (version !== undefined && isInLine(version, tag) && isOlder(version, want.version)) {
      const message = `${name} is at ${version}; it belongs to ${want.version}.`;
      return [finding('floating-behind', 'warning', message, both)];
    }
    const is = version === undefined ? 'at content that was never promoted' : `at ${version}`;
    return [finding('floating-wrong', 'error', `${name} is ${is}; it belongs to ${want.version}.`, both)];
  });
}

/** Whether this version could ever have been where the tag is: `3.0.1` under `latest`, `3` and `3.0`. */
function isInLine(version: string, tag: string): boolean {
  const plain = version.replace(/^v/, '');
  return tag === 'latest' || plain.startsWith(`${tag.replace(/^v/, '')}.`);
}

function isOlder(a: string, b: string): boolean {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  return left !== undefined && right !== undefined && compareVersions(left, right) < 0;
}
