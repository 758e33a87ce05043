import type { ServiceState } from '../containers.ts';
import type { Release } from '../plan.ts';
import type { Address } from '../reach.ts';
import type { UpdateView } from '../update-view.ts';

/**
 * One installation of the subject: its own volumes, its own network, one version at a time. Every method may fail
 * with `crashed` (the engine would not start a container), `image-missing`, `engine-failed`, `engine-unreachable`,
 * `disk-full`, or with `cancelled` and `deadline` through the signal.
 */
export interface Deployment {
  /** Name of this installation, `kg-<run>-<scope>`; compose project, stack name, network. */
  readonly project: string;
  /** True where the orchestrator replaces a running version itself; then nothing is stopped in between. */
  readonly inPlace: boolean;
  /** Brings up this release on the volumes that are there. Returns before it is ready. */
  up(release: Release, signal: AbortSignal): Promise<void>;
  /** Stops and removes the containers, gracefully; volumes with a name stay. */
  halt(signal: AbortSignal): Promise<void>;
  services(signal: AbortSignal): Promise<readonly ServiceState[]>;
  /** Image id that each service has to run for the release that is up; services without an answer are left out. */
  wanted(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** Services that run the recipe's own image or carry its version label: that label has to move. */
  own(): ReadonlySet<string>;
  /** Hash of what the application is besides its images: its files and settings. Equal for equal applications. */
  fingerprint(): string;
  /** Networks on which the target can be reached by containers of ours. */
  networks(): readonly string[];
  /** Where the target answers, if the deployment itself says so; else it is found by its container. */
  address?(): Address | undefined;
  /** What the orchestrator did with the release that was brought up last. */
  update(signal: AbortSignal): Promise<UpdateView>;
  /** Ends what runs; volumes, networks and secrets stay for the clean-up of the run. */
  down(signal: AbortSignal): Promise<void>;
}
