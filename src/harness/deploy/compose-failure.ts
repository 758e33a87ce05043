import { Failure } from '../../outcome.ts';
import { isDiskFull } from './start-failure.ts';

/** A fixed thing that another run holds and gives back; in words for the person who waits. */
export function isBusy(said: string): string | undefined {
  if (/Pool overlaps with other one on this address space/i.test(said))
    return 'it uses the same fixed address range';
  const name = /[Cc]onflict\. The container name "\/?([^"]+)" is already in use/.exec(said)?.[1];
  if (name !== undefined) return `it uses the same container name ${name}`;
  if (/port is already allocated|address already in use/i.test(said)) return 'it uses the same host port';
  return undefined;
}

/** Why `docker compose up` failed, from what it printed; `said` is masked. */
export function composeUpFailure(said: string, exitCode: number): Failure {
  const line = tellingLine(said) ?? `exit code ${exitCode}`;
  if (isDiskFull(said)) return new Failure('disk-full', `The engine has no space left: ${line}`);
  if (
    /Cannot connect to the Docker daemon|error during connect|connection reset by peer|unexpected EOF/i.test(
      said,
    )
  ) {
    return new Failure('engine-unreachable', `The engine does not answer any more: ${line}`);
  }
  if (/No such image|pull access denied|manifest unknown/i.test(said))
    return new Failure('image-missing', line);
  if (/is not a docker command|unknown flag/i.test(said)) {
    return new Failure('compose-missing', `\`docker compose\` is missing or too old: ${line}`);
  }
  return new Failure('crashed', `The application could not be started: ${line}`);
}

/** Compose prints progress after the fault too: the last line that speaks of one. */
function tellingLine(said: string): string | undefined {
  const lines = said
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return (
    [...lines].reverse().find((line) => /error|fail|unhealthy|exited|no such|conflict|denied/i.test(line)) ??
    lines.at(-1)
  );
}
