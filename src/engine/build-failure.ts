import { Failure } from '../outcome.ts';
import type { BuildRequest } from './engine.ts';
import type { FailedStep } from './solve-progress.ts';
import { unreachedHost } from './unreached-host.ts';

/** Where an instruction stands: 1-based line, and the instruction as it is written. */
export interface InstructionPlace {
  readonly line: number;
  readonly text: string;
}

/** Finds the instruction that a builder's step is about (`RUN make`), from the Dockerfile that was built. */
export type LocateInstruction = (step: string) => InstructionPlace | undefined;

/**
 * What a person needs to repair a build that failed: line, instruction, exit code, host that was not reached, the
 * last 20 lines of output. `said` is the engine's own message.
 */
export function buildFailure(
  said: string,
  code: number | undefined,
  broken: FailedStep | undefined,
  { dockerfile, locate, redact = (text) => text }: Pick<BuildRequest, 'dockerfile' | 'locate' | 'redact'>,
): Failure {
  const message = redact(said);
  const failed = broken && masked(broken, redact);
  const reason = failed?.error ?? message;
  const parseLine = lineOf(message);
  const step = failed ? instructionOf(failed.step) : undefined;
  const place = step === undefined ? undefined : locate?.(step);
  const line = place?.line ?? parseLine;
  const exit = code ?? exitCode(reason) ?? exitCode(message);
  const host = failed ? unreachedHost([...failed.lines, reason]) : unreachedHost([reason]);
  const where = line === undefined ? dockerfile : `${dockerfile}:${line}`;
  const what = step ?? place?.text;
  const sentences = [
    what === undefined ? `The build failed (${where}).` : `The build failed at ${where}: ${short(what)}`,
    exit === undefined ? short(oneLine(message)) : `It ended with exit code ${exit}.`,
    ...(host === undefined ? [] : [`It could not reach ${host}.`]),
    ...(failed && failed.lines.length > 0 ? [`Last lines:\n${failed.lines.map(indented).join('\n')}`] : []),
  ];
  const at = line === undefined ? { file: dockerfile } : { file: dockerfile, line };
  const remedy =
    host === undefined
      ? undefined
      : 'Check the network of the engine and the name of the host; then run the step again.';
  return new Failure('build-failed', sentences.join('\n'), {
    ...(remedy === undefined ? {} : { remedy }),
    findings: [
      {
        code: 'build-failed',
        level: 'error',
        message: sentences.slice(0, 3).join(' '),
        remedy: remedy ?? 'Correct the instruction.',
        at,
      },
    ],
  });
}

function masked(failed: FailedStep, redact: (text: string) => string): FailedStep {
  // As one text: a secret may have lines.
  const lines = failed.lines.length === 0 ? [] : redact(failed.lines.join('\n')).split('\n');
  const { error } = failed;
  return { step: redact(failed.step), lines, ...(error === undefined ? {} : { error: redact(error) }) };
}

/** `[build 2/4] RUN make` and `[3/7] RUN make` → `RUN make`; internal steps have no instruction. */
export function instructionOf(step: string): string | undefined {
  const match = /^\[(?:[^\]]* )?\d+\/\d+\] (.*)$/s.exec(step);
  return match?.[1];
}

function exitCode(text: string): number | undefined {
  const match = /(?:exit code: |returned a non-zero code: |exit status )(\d+)/.exec(text);
  return match ? Number(match[1]) : undefined;
}

function lineOf(text: string): number | undefined {
  const match = /parse error (?:on )?line (\d+)/.exec(text);
  return match ? Number(match[1]) : undefined;
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
const short = (text: string) => (text.length > 500 ? `${text.slice(0, 500)}…` : text);
const indented = (line: string) => `  ${short(line)}`;
