import type { Engine } from '../engine/engine.ts';
import type { Registry } from '../registry/registry.ts';

/**
 * What steps may ask for. `src/tools.ts` is the only implementation: it constructs each adapter at first use, by
 * import(), once per process. A room that consists of functions is handed over as its module.
 */
export interface Tools {
  registry(): Promise<Registry>;
  engine(): Promise<Engine>;
}
