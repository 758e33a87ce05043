import { Failure } from '../outcome.ts';
import { pageOfRemote } from './labels.ts';

/**
 * The CI run that built something, as SLSA provenance names it. Each host has one function that makes it from the
 * host's own variables; nothing in it is guessed, and what a host does not say is left out.
 */
export interface PipelineRun {
  readonly buildType: string;
  readonly externalParameters: object;
  readonly internalParameters: object;
  /** What the pipeline itself was taken from. */
  readonly source: PipelineSource;
  readonly builder: { readonly id: string; readonly version?: Readonly<Record<string, string>> };
  readonly metadata: { readonly invocationId: string; readonly startedOn?: string };
}

export interface PipelineSource {
  /** Page of the repository, without `.git` and without user name. */
  readonly repository: string;
  /** Full ref. */
  readonly ref: string;
  /** 40 hex. */
  readonly commit: string;
}

/** Variables by the host's own names (`event.run.facts`). */
export type Facts = Readonly<Record<string, string>>;

/** The value of a variable that the statement cannot do without. */
export function required(facts: Facts, name: string): string {
  const value = facts[name];
  if (value === undefined || value === '') {
    throw new Failure('run-facts-missing', `The statement must name ${name}, and this job does not have it.`);
  }
  return value;
}

/** The entries that have a value, in order; SLSA treats unset, null and empty alike. */
export function present(entries: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(entries).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
    ),
  );
}

/**
 * A repository's page as statements and policies name it: https where it is cloned over ssh, no user name, no `.git`,
 * no final slash.
 *
 * @throws Failure `run-facts-missing` for what nobody else could look at
 */
export function repositoryPage(url: string): string {
  const page = pageOfRemote(url);
  if (page === undefined) {
    throw new Failure(
      'run-facts-missing',
      'A statement names the repository by its address, and it has none.',
      {
        remedy: 'Set `repository` to the address of the repository.',
      },
    );
  }
  return page;
}

/** RFC 3339 UTC without fractions, from seconds since 1970 as Drone and Woodpecker give them. */
export function timeOf(seconds: string | undefined): string | undefined {
  return seconds !== undefined && /^[1-9]\d{0,10}$/.test(seconds)
    ? new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z')
    : undefined;
}
