import { createHttp } from '../../../src/http/client.ts';
import { type Clock, systemClock } from '../../../src/http/clock.ts';
import { createRegistry } from '../../../src/registry/client.ts';
import type { Registry } from '../../../src/registry/registry.ts';

/** Our client without credentials, as a run would make it. */
export function openRegistry(clock: Clock = systemClock): Registry {
  const http = createHttp({ clock });
  return createRegistry({ http, clock, credentials: async () => undefined });
}

/** For attaching where nobody else writes: nothing to wait for. */
export const hastyClock: Clock = { ...systemClock, sleep: async () => {} };

/** The same without waits between tries. */
export function openHastyRegistry(): Registry {
  return openRegistry(hastyClock);
}
