import { Failure, type Finding, finding } from '../outcome.ts';
import type { Scene } from './command.ts';
import type { ServiceState } from './containers.ts';
import type { Phase, Trouble } from './outcome-of-run.ts';
import type { Site } from './site.ts';

/** What a run tells people besides its verdict: phases with their times, troubles with their lines, findings. */
export interface RunNotes {
  readonly phases: readonly Phase[];
  readonly troubles: readonly Trouble[];
  readonly findings: () => readonly Finding[];
  /** Times a piece of work and tells of its end. */
  phase<T>(tier: string, name: string, work: () => Promise<T>): Promise<T>;
  /** Keeps a failure with the last lines of the container that it is about; answers the failure. */
  trouble(scene: Scene, failure: Failure, state: ServiceState | undefined): Promise<Failure>;
  /** Keeps a failure with lines that are at hand. */
  troubleWith(scene: Scene, failure: Failure, of: string, lines: readonly string[]): Failure;
  /** Says which data an upgrade would lose. */
  anonymousVolumes(states: readonly ServiceState[]): void;
}

export function runNotes(site: Site, onPhase: (phase: Phase) => void): RunNotes {
  const phases: Phase[] = [];
  const troubles: Trouble[] = [];
  const findings = new Map<string, Finding>();
  const keep = (
    scene: Scene,
    failure: Failure,
    of: string | undefined,
    lines: readonly string[],
  ): Failure => {
    troubles.push({
      tier: scene.tier,
      phase: scene.phase,
      role: scene.release.role,
      code: failure.code,
      detail: failure.message,
      lines,
      ...(of === undefined ? {} : { of }),
    });
    return failure;
  };
  return {
    phases,
    troubles,
    findings: () => [...findings.values()],
    async phase(tier, name, work) {
      const began = performance.now();
      const end = (ok: boolean, detail?: string): void => {
        const ms = Math.round(performance.now() - began);
        const phase = { tier, name, ms, ok, ...(detail === undefined ? {} : { detail }) };
        phases.push(phase);
        onPhase(phase);
      };
      try {
        const result = await work();
        end(true);
        return result;
      } catch (cause) {
        end(false, cause instanceof Failure ? cause.message : String(cause));
        throw cause;
      }
    },
    async trouble(scene, failure, state) {
      if (state === undefined || state.id === '') return keep(scene, failure, state?.service, []);
      if (state.status === 'exited') site.logs.ended(state.id, state.exitCode);
      const lines = await site.logs.lastLines(site.docker, state.id).catch(() => []);
      return keep(scene, failure, state.service, lines);
    },
    troubleWith: keep,
    anonymousVolumes(states) {
      for (const { service, anonymous } of states) {
        for (const path of anonymous) {
          const message = `\`${service}\` keeps \`${path}\` in a volume without a name: an upgrade loses what is in it.`;
          findings.set(
            `${service} ${path}`,
            finding('anonymous-volume', 'warning', message, {
              remedy: `Mount a named volume at \`${path}\`.`,
            }),
          );
        }
      }
    },
  };
}
