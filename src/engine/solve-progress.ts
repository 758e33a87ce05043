import type { Progress } from './engine.ts';
import type { SolveStatus, Vertex } from './solve-status.ts';
import { type StepOutput, stepOutput } from './step-output.ts';

/** The step that a build failed at, as far as the builder told. All text is untrusted. */
export interface FailedStep {
  readonly step: string;
  /** Its last 20 lines of output. */
  readonly lines: readonly string[];
  readonly error?: string;
}

export interface SolveWatch {
  take(status: SolveStatus): void;
  end(): void;
  failed(): FailedStep | undefined;
}

interface Running {
  name: string;
  startedAt: number | undefined;
  /** Time of earlier rounds: BuildKit may take a step up again, first for its cache key, then to run it. */
  spent: number;
  told: 'nothing' | 'started' | 'finished';
  toldMs: number;
  toldCached: boolean;
  output: readonly [StepOutput, StepOutput];
  last: string[];
}

/** A step that was taken up again is told again only if that changed its time by more than this. */
const noteworthyMs = 100;

/** Turns BuildKit's status messages, from the Engine API or from buildx, into the one progress stream. */
export function watchSolve(onProgress: (progress: Progress) => void): SolveWatch {
  const steps = new Map<string, Running>();
  let failed: FailedStep | undefined;

  const stepOf = (digest: string): Running => {
    let step = steps.get(digest);
    if (!step) {
      const last: string[] = [];
      const made: Running = {
        name: '',
        startedAt: undefined,
        spent: 0,
        told: 'nothing',
        toldMs: 0,
        toldCached: false,
        last,
        output: [0, 1].map(() =>
          stepOutput((line) => {
            last.push(line);
            if (last.length > 20) last.shift();
            onProgress({ step: made.name, status: 'started', line });
          }),
        ) as unknown as readonly [StepOutput, StepOutput],
      };
      step = made;
      steps.set(digest, step);
    }
    return step;
  };

  const takeVertex = (vertex: Vertex) => {
    const step = stepOf(vertex.digest);
    if (vertex.name !== '') step.name = vertex.name;
    if (vertex.started !== undefined && step.startedAt === undefined) step.startedAt = vertex.started;
    if (step.startedAt !== undefined && step.told === 'nothing') {
      step.told = 'started';
      onProgress({ step: step.name, status: 'started' });
    }
    if (vertex.completed === undefined) return;
    for (const output of step.output) output.end();
    if (step.startedAt !== undefined) step.spent += Math.max(0, vertex.completed - step.startedAt);
    step.startedAt = undefined;
    const ms = Math.round(step.spent);
    if (vertex.error !== undefined) {
      // Steps that were stopped because another one failed complete with an error too: the first one is it.
      const stopped = /context canceled|canceled/i.test(vertex.error);
      if (!stopped && !failed) failed = { step: step.name, lines: step.last, error: vertex.error };
      onProgress({ step: step.name, status: 'failed', ms });
    } else if (
      step.told !== 'finished' ||
      vertex.cached !== step.toldCached ||
      ms - step.toldMs > noteworthyMs
    ) {
      onProgress({ step: step.name, status: 'done', ms, cached: vertex.cached });
    }
    step.told = 'finished';
    step.toldMs = ms;
    step.toldCached = vertex.cached;
  };

  return {
    take(status) {
      for (const log of status.logs) stepOf(log.vertex).output[log.stream === 2 ? 1 : 0].write(log.data);
      for (const vertex of status.vertexes) takeVertex(vertex);
      for (const warning of status.warnings) onProgress({ step: 'warning', status: 'done', line: warning });
    },
    end() {
      for (const step of steps.values()) for (const output of step.output) output.end();
    },
    failed: () => failed,
  };
}
