import type { Digest } from '../oci/digest.ts';
import type { LocateInstruction } from './build-failure.ts';
import type { RunningThing } from './running.ts';

/** One finished or running part of a build, push or pull, whatever produced it (classic, BuildKit, buildx). */
export interface Progress {
  /** What is being done, in one line: `[build 2/4] RUN make`, `push 3f4a…`. Untrusted text. */
  readonly step: string;
  readonly status: 'started' | 'done' | 'failed';
  readonly ms?: number;
  readonly cached?: boolean;
  /** A line of output of this step. Untrusted text. */
  readonly line?: string;
}

export interface EngineInfo {
  readonly kind: 'docker' | 'podman';
  readonly version: string;
  readonly api: string;
  /** Where images are kept: decides what an image id is. */
  readonly store: 'overlay' | 'containerd' | 'podman';
  readonly platform: string;
  /** As DOCKER_HOST has it: `unix:///…`, `tcp://…`. */
  readonly address: string;
}

export interface BuildRequest {
  /** Opens the packed context; called once a build. */
  readonly context: () => NodeJS.ReadableStream;
  /** Path of the Dockerfile inside the context. */
  readonly dockerfile: string;
  readonly tag: string;
  readonly platform?: string;
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Build arguments that mean something to BuildKit itself; the classic builder would only warn of them. */
  readonly buildKitArgs?: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly cacheFrom: readonly string[];
  /** Finds the line of a step in the Dockerfile, for the report of a failure. */
  readonly locate?: LocateInstruction;
  /** Masks secrets in what a failure quotes, before it is cut: half of a secret escapes every later mask. */
  readonly redact?: (text: string) => string;
  /**
   * The Dockerfile must not reach the image although the context holds it: .dockerignore leaves it out. Only the
   * classic builder can do that.
   */
  readonly hideDockerfile?: boolean;
}

/** How a push is repeated after a failure that may pass. */
export interface PushOptions {
  /** What the registry shows under the tag right now, so that a lost answer is not taken for a failure. */
  readonly readTag?: () => Promise<Digest | undefined>;
  /** Whether that digest is the image which is being pushed. */
  readonly isOurs?: (digest: Digest) => Promise<boolean>;
}

export interface Credential {
  readonly username: string;
  readonly password: string;
  /** An OAuth2 refresh token, which some logins leave instead of a password. */
  readonly identityToken?: string;
  /** A bearer token that needs no token server. */
  readonly registryToken?: string;
}

/** An image as the engine has it. `id` is a config digest or a manifest digest, by the kind of store: never compared. */
export interface LocalImage {
  readonly id: string;
  /** `linux/amd64`, `linux/arm/v7`. */
  readonly platform: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly repoDigests: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck: boolean;
}

/**
 * A container engine over its API. The only place that knows dockerode. Every call may fail with
 * `engine-unreachable` or `engine-failed`; untrusted text reaches people only through `onProgress` and messages.
 */
export interface Engine {
  info(): Promise<EngineInfo>;
  build(request: BuildRequest, onProgress: (progress: Progress) => void): Promise<{ imageId: string }>;
  tag(imageId: string, repository: string, tag: string): Promise<void>;
  /**
   * Pushes one tag; the digest is the engine's word and must be confirmed against the registry. Failures that may
   * pass are tried again, until one has come 6 times; `registry-denied` and `dest-tag-conflict` are final.
   */
  push(
    repository: string,
    tag: string,
    credential: Credential | undefined,
    onProgress: (progress: Progress) => void,
    options?: PushOptions,
  ): Promise<{ digest: Digest }>;
  /** `platform` chooses one image of an index; absent: the engine's own. */
  pull(
    reference: string,
    credential: Credential | undefined,
    onProgress: (progress: Progress) => void,
    platform?: string,
  ): Promise<void>;
  /** Local image by name or id, `undefined` if the engine does not have it. */
  image(name: string): Promise<LocalImage | undefined>;
  removeImage(name: string): Promise<void>;
  /** Containers and services that run an image of this repository (`host/name`). */
  running(repository: string): Promise<readonly RunningThing[]>;
  /** The raw client, for harness/ (containers, networks, volumes) only. */
  readonly docker: import('dockerode');
}
