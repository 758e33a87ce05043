import type { Digest } from '../oci/digest.ts';
import { Failure } from '../outcome.ts';
import type { PushOptions } from './engine.ts';
import { classifyPushFailure, pushFailure } from './push-failure.ts';

/** Time and chance, passed in. `sleep` ends early when the signal aborts. */
export interface EngineClock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  random(): number;
}

export const pushTries = 6;
/** However different the failures are. */
const mostTries = 15;
/** All tries of one push together. */
const deadlineMs = 30 * 60_000;
const longestWaitMs = 30_000;

/** How one try ended: the digest that the engine named, or its words about the failure. */
export type PushTry = { readonly digest: Digest } | { readonly failed: string };

interface Pushing {
  readonly reference: string;
  readonly host: string;
  readonly clock: EngineClock;
  readonly signal: AbortSignal;
  readonly options: PushOptions;
  readonly tell: (text: string) => void;
}

/**
 * Pushes until it worked, cannot work, or failed 6 times in one way. One push is a dozen requests, most of which the
 * engine does not repeat: over a bad line it rarely fails twice at the same place, and gets further each time. A failure may come after the tag moved (the answer was
 * lost), so the registry is asked before anything is decided; the engine itself repeats neither 429 nor 503 of a
 * manifest.
 */
export async function pushWithRetries(
  once: () => Promise<PushTry>,
  push: Pushing,
): Promise<{ digest: Digest }> {
  const giveUpAt = push.clock.now() + deadlineMs;
  const ways = new Map<string, number>();
  for (let attempt = 1; ; attempt++) {
    const result = await once();
    if (push.signal.aborted) throw new Failure('cancelled');
    if ('digest' in result) return result;
    const kind = classifyPushFailure(result.failed, push.reference);
    const landed = kind === 'transient' || kind === 'unknown' ? await whatLanded(push.options) : undefined;
    if (landed) {
      push.tell(`The push of ${push.reference} was reported as failed, and the registry has it.`);
      return { digest: landed };
    }
    const failure = pushFailure(result.failed, push.host, push.reference);
    const way = wayOf(result.failed);
    const times = (ways.get(way) ?? 0) + 1;
    ways.set(way, times);
    if (kind !== 'transient' || times === pushTries || attempt === mostTries) throw failure;
    const wait = Math.min(
      longestWaitMs,
      retryAfter(result.failed) ?? backOff(Math.min(attempt, 5), push.clock.random()),
    );
    if (push.clock.now() + wait > giveUpAt) throw failure;
    push.tell(
      `Try ${attempt} to push ${push.reference} failed (${times} of ${pushTries} in this way); the next one is in ${Math.ceil(wait / 1000)} s. ${failure.message}`,
    );
    await push.clock.sleep(wait, push.signal);
    if (push.signal.aborted) throw new Failure('cancelled');
  }
}

/** What failed and how, without what differs from one time to the next: ports, ids of uploads, digests. */
function wayOf(message: string): string {
  return message.replace(/[0-9a-f]{8,}|[0-9a-f-]{36}|:\d{2,5}\b|_state=\S+/g, '#');
}

/** The digest under the tag, if the registry answers and it is the image that was pushed. */
async function whatLanded(options: PushOptions): Promise<Digest | undefined> {
  if (!options.readTag || !options.isOurs) return undefined;
  try {
    const digest = await options.readTag();
    return digest && (await options.isOurs(digest)) ? digest : undefined;
  } catch (cause) {
    if (cause instanceof Failure && cause.code === 'cancelled') throw cause;
    return undefined;
  }
}

/** 1, 2, 4, 8, 16 seconds, each shortened by up to half so that many jobs do not come back at once. */
function backOff(attempt: number, random: number): number {
  return 1000 * 2 ** (attempt - 1) * (1 - random / 2);
}

/** Engines show the seconds that a registry asks for only sometimes, and only in words. */
function retryAfter(message: string): number | undefined {
  const match = /retry[- ]after:? ?(\d{1,4})\b/i.exec(message);
  return match ? Number(match[1]) * 1000 : undefined;
}
