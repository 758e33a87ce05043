import type { ReasonCode } from '../reasons.ts';

/**
 * What the harness is asked to do, free of where it was written. The step maps knowngood.yml and the dossier to it.
 * Durations are milliseconds.
 */
export interface TestPlan {
  readonly recipe: string;
  readonly deploy: DeployPlan;
  /** What readiness, checks and `exec` are about. `port` is the port inside the container. */
  readonly target: { readonly service: string; readonly port?: number };
  readonly ready?: ReadyPlan;
  /** Puts data into the base, before the upgrade. */
  readonly beforeUpgrade: readonly Command[];
  readonly check: readonly Command[];
  readonly tiers: readonly TierPlan[];
  /** Of the whole run. */
  readonly timeoutMs: number;
  /** Of one tier; a command and a wait have what is left of it. */
  readonly tierTimeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** The recipe's own environment (env-file, then env), for the subject and for commands. */
  readonly env: Readonly<Record<string, string>>;
  /** Exceptions by name, from the release branch. Empty for untrusted authors. */
  readonly allow: readonly string[];
  /** False for untrusted authors: host commands are refused, whatever `allow` says. */
  readonly trusted: boolean;
  /** Checkout of the release branch's commands, given read-only to `run` containers; absent where there is none. */
  readonly trustedTree?: string;
  /** Leave the containers and volumes of a failed run. */
  readonly keep: boolean;
}

export interface TierPlan {
  readonly name: string;
  /** Of a recipe's own tier. */
  readonly commands?: readonly Command[];
  /** Declared or decided: the tier does not apply, and why (a reason code). */
  readonly na?: { readonly reason: ReasonCode; readonly detail?: string };
}

export type DeployPlan =
  | {
      readonly kind: 'image';
      /** Container ports to reach, each with the host port that was asked for. */
      readonly ports: readonly { readonly container: number; readonly host?: number }[];
      readonly volumes: readonly MountPlan[];
      readonly command?: readonly string[];
    }
  | { readonly kind: 'compose'; readonly files: readonly string[]; readonly profiles: readonly string[] }
  | { readonly kind: 'swarm'; readonly files: readonly string[] }
  | { readonly kind: 'commands'; readonly up: string; readonly down: string };

/** `source` of a volume is its name in the recipe; of a bind, a path inside the release's tree. */
export interface MountPlan {
  readonly kind: 'volume' | 'bind';
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface ReadyPlan {
  readonly how:
    | { readonly kind: 'http'; readonly path: string; readonly port?: number }
    | { readonly kind: 'tcp'; readonly port?: number }
    | { readonly kind: 'exec'; readonly command: ExecText }
    | { readonly kind: 'healthcheck' };
  readonly timeoutMs: number;
}

/** A shell line, or arguments as they are (images without a shell). */
export type ExecText = string | readonly string[];

/** One thing to run or to ask. A command that is contained has no credential and no socket in reach. */
export type Command =
  /** In the target's container, or in another service's. */
  | {
      readonly kind: 'exec';
      readonly command: ExecText;
      readonly service?: string;
      readonly timeoutMs?: number;
    }
  /** In a container of its own on the run's network; of the target's image unless another is named. */
  | { readonly kind: 'run'; readonly command: ExecText; readonly image?: string; readonly timeoutMs?: number }
  | {
      readonly kind: 'http';
      readonly path: string;
      readonly port?: number;
      readonly status?: number;
      readonly contains?: string;
      readonly method?: string;
      readonly body?: string;
    }
  /** On the host: only from the release branch, see security.md 3 of the design. */
  | { readonly kind: 'host'; readonly command: string; readonly timeoutMs?: number };

/** One version of the subject: the base, or the candidate. */
export interface Release {
  readonly role: 'base' | 'candidate';
  readonly version?: string;
  readonly commit: string;
  /** Folder with this release's tree, for compose files and binds. */
  readonly folder: string;
  /**
   * The own image, `name@sha256:…` or an image id of the engine. For an image subject it is the subject; in a
   * compose application it takes the place of every `image:` of the same repository.
   */
  readonly image?: { readonly reference: string; readonly repository: string };
}
