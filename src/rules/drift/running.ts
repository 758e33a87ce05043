import { type Finding, finding } from '../../outcome.ts';
import { compareVersions, parseVersion } from '../version.ts';
import { type Known, open } from './looked-up.ts';

/** A container or a service of a swarm that runs the own image. */
export interface RunningThing {
  readonly kind: 'container' | 'service';
  readonly name: string;
  /** Digests under which its image is known in the own image's repository; none for what was built here. */
  readonly digests: readonly string[];
  /** What its image's labels say; a hint for messages, never compared with the canonical's for sameness. */
  readonly version?: string;
}

export interface RunningFacts {
  readonly image: string;
  readonly canonical: {
    readonly version: string;
    /** The index and the manifest of every platform: an engine knows an image by either. */
    readonly digests: readonly string[];
  };
  /** Everything that was ever promoted. */
  readonly promoted: readonly { readonly version: string; readonly digest: string }[];
  readonly things: Known<readonly RunningThing[]>;
}

/** What runs on this engine is the canonical, by digest. */
export function checkRunning({ image, canonical, promoted, things }: RunningFacts): Finding[] {
  if ('unanswered' in things) return [open(`What runs of ${image}`, things)];
  return things.known.flatMap(({ kind, name, digests, version }): Finding[] => {
    if (digests.some((digest) => canonical.digests.includes(digest))) return [];
    const what = `The ${kind} ${name}`;
    const both = { expected: canonical.digests[0] ?? '', found: digests[0] ?? 'no digest' };
    const release = promoted.find(({ digest }) => digests.includes(digest))?.version;
    const is = release ?? version;
    if (is === undefined) {
      const message = `${what} runs ${image}, and neither a digest nor a label says which release.`;
      return [finding('running-unlabelled', 'info', message)];
    }
    const order = compare(is, canonical.version);
    if (order === 0) {
      const message = `${what} runs ${is} with other content than the known-good ${canonical.version}.`;
      return [finding('running-differs', 'error', message, both)];
    }
    if (order === undefined || order < 0) {
      const message = `${what} runs ${is}; the known-good release is ${canonical.version}.`;
      return [finding('running-behind', 'warning', message, both)];
    }
    const message = `${what} runs ${is}, which is newer than the known-good ${canonical.version}.`;
    return [finding('running-differs', 'warning', message, both)];
  });
}

function compare(a: string, b: string): number | undefined {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (left === undefined || right === undefined) return a === b ? 0 : undefined;
  return compareVersions(left, right);
}
