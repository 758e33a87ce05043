import type { Host, StepReport } from '../hosts/host.ts';
import { exitCodes, Failure, finding } from '../outcome.ts';
import { stepReport } from './step-report.ts';

interface FatalEnd {
  /** Absent where not even the host could be told. */
  readonly host: Host | undefined;
  readonly write: (text: string) => void;
  /** What was asked for, as it was written. */
  readonly step: string | undefined;
  /** Leaves the outputs where those of steps are. */
  readonly keep: (host: Host, report: StepReport) => void;
}

/**
 * Ends a run that failed before or outside any step, in the form of every other end: one clear error with code and
 * remedy, outputs, and the last line. Returns the exit code.
 */
export async function reportFatal(error: unknown, { host, write, step, keep }: FatalEnd): Promise<number> {
  const failure = asFailure(error);
  const name = firstStep(step);
  if (host === undefined) {
    write(`error: ${failure.code}: ${failure.message} ${failure.remedy}\n`);
  } else {
    host.log.finding(finding(failure.code, 'error', failure.message, { remedy: failure.remedy }));
    if (failure.code === 'internal-error' && error instanceof Error) host.log.detail(error.stack ?? '');
    const ended = { outcome: failure.outcome, reasons: [failure.code], outputs: {} };
    const report = stepReport(name, ended, [failure]);
    try {
      keep(host, report);
      await host.publish(report);
    } catch {
      // The error that is told already is the one that matters.
    }
  }
  write(`knowngood: ${name} ${failure.outcome} ${failure.code}\n`);
  return exitCodes[failure.outcome];
}

/** The step, or line, that was asked for first, if that can be told. */
function firstStep(written = ''): string {
  const [word = ''] = written.split(/[\s,"[\]]+/).filter(Boolean);
  return /^[a-z-]{1,20}$/.test(word) ? word : 'knowngood';
}

/** Any thrown value as the one error class. What nobody expected keeps its message, for the report of the bug. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('internal-error', `Unexpected: ${message}`, { cause: error });
}
