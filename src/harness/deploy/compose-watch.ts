import { Failure } from '../../outcome.ts';
import type { ServiceState } from '../containers.ts';
import { crashIn } from '../crash.ts';
import { pause } from '../deadline.ts';
import { READY_MS } from '../ready.ts';
import type { Site } from '../site.ts';

/**
 * `up` waits for what depends_on names, possibly for ever. A container that ends or restarts meanwhile ends it at
 * once, and the time for readiness counts from its begin.
 */
export async function whileNothingCrashes(
  site: Site,
  services: (signal: AbortSignal) => Promise<ServiceState[]>,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const limit = site.plan.ready?.timeoutMs ?? READY_MS;
  const timer = setTimeout(
    () => stop.abort(new Failure('not-ready', `The application did not come up within ${limit / 1000} s.`)),
    limit,
  );
  const over = new AbortController();
  const watch = (async () => {
    const seen = new Map<string, string>();
    for (;;) {
      await pause(500, over.signal);
      const crash = crashIn(await services(over.signal), site.plan.target.service, seen);
      if (crash !== undefined) stop.abort(new Failure('crashed', crash.why));
    }
  })().catch(() => undefined);
  try {
    await work(AbortSignal.any([signal, stop.signal]));
  } catch (cause) {
    throw !signal.aborted && stop.signal.aborted ? stop.signal.reason : cause;
  } finally {
    clearTimeout(timer);
    over.abort();
    await watch;
  }
}
