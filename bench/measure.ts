import { spawnSync } from 'node:child_process';

/** One comparison of a benchmark: ours beside what a user would do without us, in one run. Times are milliseconds. */
export interface Comparison {
  readonly name: string;
  readonly ours_ms: number;
  readonly theirs_ms: number;
  /** ours / theirs. */
  readonly ratio: number;
  /** The most that the ratio may be. */
  readonly limit: number;
  /** Of both numbers; milliseconds where it is left out. */
  readonly unit?: string;
}

export function comparison(name: string, ours: number, theirs: number, limit: number): Comparison {
  return { name, ours_ms: ours, theirs_ms: theirs, ratio: ours / theirs, limit };
}

/** Runs both in turn, `rounds` times, and gives the least time of each: noise only ever adds. */
export async function sideBySide(
  rounds: number,
  ours: () => unknown,
  theirs: () => unknown,
): Promise<readonly [ours: number, theirs: number]> {
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as [number, number];
  for (let round = 0; round < rounds; round++) {
    for (const [index, run] of [ours, theirs].entries()) {
      const start = performance.now();
      await run();
      least[index] = Math.min(least[index]!, performance.now() - start);
    }
  }
  return least;
}

/** Runs a program to its end; its failure is ours. */
export function program(file: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): void {
  const { status, stderr } = spawnSync(file, args, { env, cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${status}: ${stderr}`);
}
