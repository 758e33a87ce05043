import type { Finding, OutcomeName } from '../outcome.ts';

export type HostName = 'github' | 'drone' | 'woodpecker' | 'terminal';

/** What started the run, in one vocabulary for all hosts. */
export type EventKind =
  | 'tag'
  | 'push'
  | 'pull-request'
  | 'comment'
  | 'dispatch'
  | 'cron'
  | 'promote'
  | 'other';

/**
 * What the host says about the run. All of it is the forge's word: ids, refs and the head are believed, payload
 * URLs and git dates are not; names are untrusted text. Commits are 40 lower-case hex.
 */
export interface Event {
  readonly host: HostName;
  readonly kind: EventKind;
  /** The host's own name of the event, for messages. */
  readonly name: string;
  readonly repository: {
    /** `owner/name` as the host writes it. */
    readonly slug?: string;
    readonly cloneUrl?: string;
    /** Page of the repository, without `.git`. */
    readonly webUrl?: string;
    readonly defaultBranch?: string;
    readonly private?: boolean;
  };
  /** The commit that the host checked out, if it says so. */
  readonly checkout?: string;
  /** Full ref, `refs/tags/1.0.0`, where the event has one. */
  readonly ref?: string;
  readonly tag?: string;
  readonly branch?: string;
  readonly pullRequest?: {
    readonly number: number;
    /** Head commit; absent where the event does not say (comments). */
    readonly head?: string;
    readonly base?: string;
    /** From a fork, from a repository that is gone, or where the host does not say. */
    readonly fork: boolean;
  };
  /** Who started it: the login, and the numeric id where the host has one. Untrusted text. */
  readonly actor?: string;
  readonly run: {
    /** The same for all steps of one CI run, different for any other run and attempt. */
    readonly id: string;
    readonly attempt: number;
    readonly url?: string;
    readonly startedAt?: string;
    /** Pipeline file's identity for provenance: GitHub's workflow ref and sha, Drone's stage. */
    readonly workflow?: { readonly ref?: string; readonly sha?: string; readonly name?: string };
    readonly runner?: string;
    /** Variables that a provenance statement names, by the host's own names (hosts/facts.ts). */
    readonly facts?: Readonly<Record<string, string>>;
  };
  /** The webhook's body as the host gives it (GitHub's event file), parsed; untrusted. */
  payload(): unknown;
}

/**
 * Where a run writes for people. Every text given to it is escaped for its sink: control characters are
 * stripped, a line can never be a workflow command, secrets are masked.
 */
export interface Log {
  /** One of our own sentences. */
  info(text: string): void;
  /** Only shown with `verbose`. */
  detail(text: string): void;
  /** A problem or a remark, as an annotation where the host has them. */
  finding(finding: Finding): void;
  /** Text of builds, containers and people: shown as it is, inert. May hold several lines. */
  foreign(text: string): void;
  group(title: string): void;
  endGroup(): void;
  /** From now on this text, its base64 and its URL form appear as `***`. */
  mask(secret: string): void;
  /** The masking itself, for what is written elsewhere (files, comments, messages). */
  redact(text: string): string;
  /** The same over a stream in chunks: `push` returns what may be written now, `end` the rest. */
  redactStream(): { push(chunk: string): string; end(): string };
  /** True where a line can be drawn again (a person's terminal). */
  readonly live: boolean;
  /** One line that is gone with the next thing written; `''` only takes it away. Nothing where `live` is false. */
  draw(text: string): void;
}

/** How one step ended, as the host shows it. */
export interface StepReport {
  readonly step: string;
  readonly outcome: OutcomeName;
  readonly reasons: readonly string[];
  /** Output names in kebab-case without prefix; values are identifiers or JSON. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Markdown for the job summary; untrusted text in it is already in code spans. */
  readonly summary: string;
  /** Facts for Drone's card: label and value, in order. */
  readonly facts: readonly (readonly [label: string, value: string])[];
}

/** One CI system, or a terminal. The only readers of the environment are the adapters of this port. */
export interface Host {
  readonly name: HostName;
  readonly event: Event;
  readonly log: Log;
  /** Folder of the checkout: relative settings start here. */
  readonly workspace: string;
  /** Raw settings by kebab-case name as the host gave them, and where each came from, for messages. */
  readonly rawSettings: ReadonlyMap<string, { readonly value: string; readonly source: string }>;
  /** How the host writes a setting's name: `build-args`, `build_args`, `--build-args`. */
  settingName(name: string): string;
  /** A token that the host gives every job, with the registry user it belongs to (GitHub: `github.token`). */
  readonly jobToken?: { readonly username: string; readonly token: string; readonly registry: string };
  /** Writes outputs, summary, card: everything but outputs.env, which is the same everywhere. */
  publish(report: StepReport): Promise<void>;
}
