import type { Progress } from './engine.ts';
import type { EngineMessage } from './message-stream.ts';
import type { FailedStep } from './solve-progress.ts';
import { type StepOutput, stepOutput } from './step-output.ts';

export interface ClassicWatch {
  take(message: EngineMessage): void;
  end(): void;
  failed(): FailedStep | undefined;
}

/** `Step 2/7 : RUN make`; Podman: `STEP 2/7: RUN make`, and `[1/2] STEP 2/7: RUN make` where there are stages. */
const heading = /^(?:\[(\d+)\/\d+\] )?(?:Step|STEP) (\d+)\/(\d+) ?: (.*)$/;
const marks =
  /^ ?---> |^--> |^Removing intermediate container |^Successfully (?:built|tagged) |^(?:\[\d+\/\d+\] )?COMMIT /;

/**
 * Turns the classic builder's text, Docker's or Podman's, into the one progress stream. A heading counts only if
 * it has the next number of the same total, so that the output of a RUN cannot easily pass for one.
 */
export function watchClassic(onProgress: (progress: Progress) => void, now: () => number): ClassicWatch {
  let step = '';
  let number = 0;
  let total = 0;
  let startedAt = 0;
  let cached = false;
  let output: StepOutput = stepOutput(() => {});
  let failed: FailedStep | undefined;

  const finish = (status: 'done' | 'failed') => {
    if (step === '') return;
    onProgress({ step, status, ms: Math.round(now() - startedAt), ...(status === 'done' ? { cached } : {}) });
    step = '';
  };
  const begin = (name: string) => {
    finish('done');
    step = name;
    startedAt = now();
    cached = false;
    output = stepOutput((line) => onProgress({ step: name, status: 'started', line }));
    onProgress({ step: name, status: 'started' });
  };
  const takeLine = (raw: string) => {
    // The classic builder colours standard error; the colour is not part of what the step wrote.
    const line = raw.replaceAll('\u001b[91m', '').replaceAll('\u001b[0m', '').replace(/\r$/, '');
    const match = heading.exec(line);
    if (match && isNext(Number(match[2]), Number(match[3]))) {
      number = Number(match[2]);
      total = Number(match[3]);
      begin(`[${match[1] ? `${match[1]}: ` : ''}${number}/${total}] ${match[4]}`);
    } else if (marks.test(line)) {
      if (/---> Using cache/.test(line) || /^--> Using cache/.test(line)) cached = true;
    } else if (step !== '' && line !== '') {
      output.write(`${line}\n`);
    }
  };
  // Podman counts each stage of its own: 1/2, 2/2, 1/3 …
  const isNext = (n: number, of: number) =>
    (n === number + 1 && of === total) || (n === 1 && (number === 0 || number === total));

  const lines = stepOutput(takeLine);
  return {
    take(message) {
      if (message.stream !== undefined) lines.write(message.stream);
      if (message.error) {
        lines.end();
        if (step !== '') failed = { step, lines: output.last };
        finish('failed');
      }
    },
    end() {
      lines.end();
      finish('done');
    },
    failed: () => failed,
  };
}
