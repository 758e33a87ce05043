/** A fixed number of places, given to those who wait in their order. */
export interface Slots {
  /** Waits for a place; rejects with the signal's reason when that aborts first. */
  take(signal: AbortSignal): Promise<void>;
  /** Gives a place back. */
  give(): void;
}

/**
 * Bounds the requests that are under way to one origin. The limit of Node's agents would not do: it does not count
 * connections that are still being made through a proxy, so that a burst opens one for each request.
 */
export function createSlots(most: number): Slots {
  let free = most;
  const waiting = new Set<() => void>();
  return {
    take(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        if (free > 0) {
          free--;
          return resolve();
        }
        const turn = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          waiting.delete(turn);
          reject(signal.reason);
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting.add(turn);
      });
    },
    give() {
      const [next] = waiting;
      if (next === undefined) {
        free++;
        return;
      }
      waiting.delete(next);
      next();
    },
  };
}
