import Docker from 'dockerode';
import type { EngineInfo } from '../../../src/engine/engine.ts';
import type { HarnessInput } from '../../../src/harness/harness.ts';
import type { Release, TestPlan } from '../../../src/harness/plan.ts';
import { Failure } from '../../../src/outcome.ts';

/** One run of the harness as plain data, so that another process can be asked for it. */
export interface RunRequest {
  readonly plan: TestPlan;
  readonly candidate: Release;
  readonly bases: readonly Release[];
  readonly engine: EngineInfo;
  readonly out: string;
  readonly id: string;
  readonly path: string;
  readonly pluginFolders: readonly string[];
}

export function clientOf(address: string): Docker {
  const url = new URL(address);
  if (url.protocol === 'unix:') return new Docker({ socketPath: url.pathname });
  return new Docker({ protocol: 'http', host: url.hostname, port: Number(url.port) });
}

/** What the step would hand to the harness: no masking, no registry, and every image on the engine already. */
export function inputFor(
  request: RunRequest,
  { docker, ...tell }: Pick<HarnessInput, 'docker' | 'signal' | 'onPhase' | 'say'>,
): HarnessInput {
  const { path, pluginFolders, bases, ...rest } = request;
  return {
    ...rest,
    ...tell,
    docker,
    bases: bases.map((release) => ({
      version: release.version ?? '',
      tag: release.version ?? '',
      commit: release.commit,
      release: async () => release,
    })),
    pull: async (reference) => {
      const found = await docker
        .getImage(reference)
        .inspect()
        .catch(() => undefined);
      if (found === undefined) throw new Failure('image-missing', `${reference} is not there.`);
    },
    masking: { redact: (text) => text, stream: () => ({ push: (chunk) => chunk, end: () => '' }) },
    programs: { path, pluginFolders, engineEnv: {}, credentials: [] },
    now: () => new Date(),
  };
}
