import { setMaxListeners } from 'node:events';
import type { Clock } from '../../http/clock.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { imageChildren, parseManifest } from '../../oci/manifest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { type Reference, withDigest } from '../../oci/reference.ts';
import { sameContent } from '../../oci/same-content.ts';
import { Failure } from '../../outcome.ts';
import type { RawManifest, Registry } from '../../registry/registry.ts';
import type { Known, Unanswered } from '../../rules/drift/looked-up.ts';

/** Look-ups at a time: more would only wait for the connections to a registry. */
const AT_ONCE = 32;

/** Asks, within one budget of time, and remembers who did not answer: an outage is never "the same" nor "absent". */
export class Look {
  readonly #over: Promise<'over'>;
  readonly #stop = new AbortController();
  readonly #seconds: number;
  #isOver = false;
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: Pick<Clock, 'sleep'>, budgetMs: number, signal: AbortSignal) {
    this.#seconds = Math.round(budgetMs / 1000);
    // Every request under way listens; Node takes more than ten for a leak and says so to the user.
    setMaxListeners(AT_ONCE * 4, signal);
    const either = AbortSignal.any([signal, this.#stop.signal]);
    const over = (): 'over' => {
      this.#isOver = true;
      return 'over';
    };
    this.#over = clock.sleep(budgetMs, either).then(over, over);
  }

  /** The answer; where there is none, why. Only a cancelled run fails. */
  async ask<T>(what: () => Promise<T>): Promise<Known<T>> {
    if (this.#isOver) return this.#late(`no time was left to ask, within ${this.#seconds} s.`);
    try {
      const answered = what().then((known) => ({ known }));
      // A late failure is nobody's any more.
      answered.catch(() => {});
      const first = await Promise.race([answered, this.#over]);
      return first === 'over' ? this.#late(`no answer within ${this.#seconds} s.`) : first;
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
      const { message, code, host, remedy } = error;
      const by = host === undefined ? {} : { host, cause: `${code} ${host}` };
      return { unanswered: message, remedy, ...by };
    }
  }

  #late(unanswered: string): Unanswered {
    return { unanswered, cause: 'the time budget' };
  }

  /** As `ask`, when it is its turn: a bounded number of these are under way. */
  async turn<T>(what: () => Promise<T>): Promise<Known<T>> {
    while (this.#underWay >= AT_ONCE) await new Promise<void>((free) => this.#waiting.push(free));
    this.#underWay += 1;
    try {
      return await this.ask(what);
    } finally {
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Asks about each item, a bounded number at a time, answers in their order. */
  async each<T, R>(items: readonly T[], what: (item: T) => Promise<R>): Promise<R[]> {
    const answers: R[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let at = next++; at < items.length; at = next++) answers[at] = await what(items[at]!);
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
    return answers;
  }

  /** No timer is left behind. */
  end(): void {
    this.#stop.abort();
  }
}

type Asked = Pick<Registry, 'manifest' | 'contents'>;

/**
 * Whether two digests of one repository stand for the same image: equal, or equal manifests (then equal contents) on
 * every platform. An attestation that was added, or an index that was written again, changes neither. What is not
 * there any more is not the same.
 */
export async function sameImage(registry: Asked, image: Reference, a: Digest, b: Digest): Promise<boolean> {
  if (a === b) return true;
  const [left, right] = await Promise.all([
    registry.manifest(withDigest(image, a)),
    registry.manifest(withDigest(image, b)),
  ]);
  if (left === undefined || right === undefined) return false;
  const [mine, theirs] = [children(left), children(right)];
  if (mine.size === theirs.size && [...mine].every((child) => theirs.has(child))) return true;
  const [ours, other] = await Promise.all([
    registry.contents(withDigest(image, a)),
    registry.contents(withDigest(image, b)),
  ]);
  return ours !== undefined && other !== undefined && sameContent(ours.platforms, other.platforms);
}

/** Platform and digest of every image in an index; of a lone image its own digest. */
function children(raw: RawManifest): ReadonlySet<string> {
  const manifest = parseManifest(raw.bytes, raw.mediaType);
  if (manifest.kind === 'image') return new Set([raw.digest]);
  return new Set(
    imageChildren(manifest).map(({ platform, digest }) =>
      platform === undefined ? digest : `${formatPlatform(platform)} ${digest}`,
    ),
  );
}

/** What stands behind the `@`, if that is a digest. */
export function digestIn(reference: string): Digest | undefined {
  const digest = reference.slice(reference.lastIndexOf('@') + 1);
  return isDigest(digest) ? digest : undefined;
}
