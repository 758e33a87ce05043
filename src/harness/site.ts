import type Docker from 'dockerode';
import type { EngineInfo } from '../engine/engine.ts';
import type { Journal } from './journal.ts';
import type { LogBook } from './logs.ts';
import type { RunName } from './naming.ts';
import type { TestPlan } from './plan.ts';
import type { Whereabouts } from './reach.ts';

/** Where a run works: the engine, its names, its journal, its logs, and what it may ask of the world. */
export interface Site {
  readonly docker: Docker;
  readonly engine: EngineInfo;
  readonly where: Whereabouts;
  readonly name: RunName;
  readonly journal: Journal;
  readonly logs: LogBook;
  readonly plan: TestPlan;
  /** The wall clock: what engines write down is compared with it. Durations are measured without it. */
  readonly now: () => Date;
  /** Makes sure that the engine has the image, asking the registry with the job's credentials if need be. */
  pull(reference: string, signal: AbortSignal): Promise<void>;
  /** One of our own sentences for the log: queueing, another port. */
  say(text: string): void;
  /** Programs on the host, for compose, swarm and host commands. */
  readonly programs: Programs;
}

/** What children are given of our own environment: nothing else is. */
export interface Programs {
  readonly path: string;
  /** Folders in which the docker command finds plugins besides its own. */
  readonly pluginFolders: readonly string[];
  /** An empty folder of this run: HOME and DOCKER_CONFIG of children. */
  readonly home: string;
  /** How the docker command reaches an engine that wants certificates: DOCKER_TLS_VERIFY, DOCKER_CERT_PATH. */
  readonly engineEnv: Readonly<Record<string, string>>;
  /** Names of the variables of our environment that hold a credential; values never come here. */
  readonly credentials: readonly string[];
}
