import type { Host } from '../hosts/host.ts';
import { exitCodes, Failure, finding } from '../outcome.ts';
import { stepReport } from './step-report.ts';

/**
 * Ends a run that failed before or outside any step, in the form of every other end: one clear error with code and
 * remedy, outputs, and the last line. Returns the exit code.
 */
export async function reportFatal(
  error: unknown,
  host: Host | undefined,
  write: (text: string) => void,
  step: string | undefined,
): Promise<number> {
  const failure = asFailure(error);
  const name = /^[a-z-]{1,20}$/.test(step ?? '') ? step! : 'knowngood';
  if (host === undefined) {
    write(`error: ${failure.code}: ${failure.message} ${failure.remedy}\n`);
  } else {
    host.log.finding(finding(failure.code, 'error', failure.message, { remedy: failure.remedy }));
    if (failure.code === 'internal-error' && error instanceof Error) host.log.detail(error.stack ?? '');
    await host
      .publish(
        stepReport(name, { outcome: failure.outcome, reasons: [failure.code], outputs: {} }, [failure]),
      )
      .catch(() => undefined);
  }
  write(`knowngood: ${name} ${failure.outcome} ${failure.code}\n`);
  return exitCodes[failure.outcome];
}

/** Any thrown value as the one error class. What nobody expected keeps its message, for the report of the bug. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('internal-error', `Unexpected: ${message}`, { cause: error });
}
