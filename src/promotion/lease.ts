import type { Ledger } from '../ledger/ledger.ts';
import type { Waiting, WriteHook } from '../ledger/store.ts';
import { Failure } from '../outcome.ts';

/** How long a run may be silent before another one may finish or undo what it began. */
const leaseMs = 10 * 60_000;
/** Longer than any single request to a registry takes, with its retries. */
const marginMs = 5 * 60_000;

/** When a lease that begins at `now` (milliseconds) ends, RFC 3339 UTC. */
export function leaseEnd(now: number): string {
  return new Date(now + leaseMs).toISOString();
}

/** Our intent in the ledger, as long as it is ours. */
export interface Lease {
  readonly nonce: string;
  /** Reads the ledger again; fails with `concurrent-promotion` where another run has taken over. */
  assertHeld(): Promise<void>;
  drop(): Promise<void>;
  /** Lets the next run take over at once instead of after the lease. */
  giveUp(): Promise<void>;
}

export function leaseOn(
  recipe: string,
  nonce: string,
  {
    ledger,
    waiting,
    write,
  }: { readonly ledger: Ledger; readonly waiting: Waiting; readonly write: WriteHook },
): Lease {
  const renew = async (expires: string): Promise<void> => {
    const renewed = await write('renew intent', () => ledger.renewIntent(recipe, nonce, expires));
    if (renewed === 'lost') throw lost();
  };
  return {
    nonce,
    async assertHeld() {
      const intent = (await ledger.read(recipe)).intent();
      if (intent?.nonce !== nonce) throw lost();
      if (Date.parse(intent.expires) - waiting.now() < marginMs) await renew(leaseEnd(waiting.now()));
    },
    drop: () => write('drop intent', () => ledger.dropIntent(recipe, nonce)),
    giveUp: () => renew(new Date(waiting.now()).toISOString()),
  };
}

function lost(): Failure {
  return new Failure('concurrent-promotion', 'Another run has taken over the promotion of this recipe.');
}
