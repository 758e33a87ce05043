import type { WriteHook } from '../../../src/ledger/store.ts';

/** A gate before every write of several runs: one write at a time, in an order that a test chooses. */
export interface Turns {
  /** The hook of one run. */
  hook(run: string): WriteHook;
  /** The run has ended: nobody waits for it any more. */
  ended(run: string): void;
}

/**
 * Lets the runs go on only when all of them stand before a write (or have ended); `choose` says which of them goes
 * next. So any interleaving of their writes can be played, and the same one again.
 */
export function turns(
  runs: readonly string[],
  choose: (waiting: readonly string[], step: number) => string,
): Turns {
  const waiting = new Map<string, () => void>();
  const live = new Set(runs);
  let step = 0;
  const next = (): void => {
    if (live.size === 0 || [...live].some((run) => !waiting.has(run))) return;
    const chosen = choose([...waiting.keys()].sort(), step++);
    const go = waiting.get(chosen);
    waiting.delete(chosen);
    go?.();
  };
  return {
    hook: (run) => async (_name, act) => {
      await new Promise<void>((resolve) => {
        waiting.set(run, resolve);
        next();
      });
      return act();
    },
    ended(run) {
      live.delete(run);
      next();
    },
  };
}
