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
 * Pushes until it worked, cannot work, or was tried 6 times. A failure may come after the tag moved (the answer was
 * lost), so the registry is asked before anything is decided; the engine itself repeats neither 429 nor 503 of a
 * manifest.
 */
export async function pushWithRetries(
  once: () => Promise<PushTry>,
  push: Pushing,
): Promise<{ digest: Digest }> {
  const giveUpAt = push.clock.now() + deadlineMs;
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
    if (kind !== 'transient' || attempt === pushTries) throw failure;
    const wait = Math.min(longestWaitMs, retryAfter(result.failed) ?? backOff(attempt, push.clock.random()));
    if (push.clock.now() + wait > giveUpAt) throw failure;
    push.tell(
      `Try ${attempt} of ${pushTries} to push ${push.reference} failed; the next one is in ${Math.ceil(wait / 1000)} s. ${failure.message}`,
    );
    await push.clock.sleep(wait, push.signal);
    if (push.signal.aborted) throw new Failure('cancelled');
  }
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
