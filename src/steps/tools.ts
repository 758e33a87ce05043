import type { Candidate } from '../dossier/schema.ts';
import type { Engine } from '../engine/engine.ts';
import type { Registry } from '../registry/registry.ts';

/**
 * What steps may ask for. `src/tools.ts` is the only implementation: it constructs each adapter at first use, by
 * import(), once per process. A room that consists of functions is handed over as its module.
 */
export interface Tools {
  /** The candidate, derived now from git, event and settings; once per process. */
  candidate(): Promise<Candidate>;
  /** Files below a path of the checkout that git tracks; empty outside a checkout. */
  trackedIn(path: string): Promise<readonly string[]>;
  registry(): Promise<Registry>;
  engine(): Promise<Engine>;
}
