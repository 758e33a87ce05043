import type { RunContext } from '../dossier/schema.ts';
import { Failure } from '../outcome.ts';
import type { ReasonCode } from '../reasons.ts';
import { type Choice, type ChooseInput, choose } from './choose.ts';
import { majorStep, tooFar } from './major-step.ts';
import { listReleases, parsePattern, type Rejection, type Release, type TagFact } from './releases.ts';
import { type Canonical, triage } from './triage.ts';
import {
  brokenTest,
  isAbout,
  isOlder,
  isOver,
  isTarget,
  type KnownBroken,
  type Note,
  type Pin,
  usableCanonical,
  usablePin,
} from './usable.ts';
import { compareVersions, parseVersion, type Version } from './version.ts';
import { parseRange } from './version-range.ts';

/** What is known of the candidate's version. */
export type StatedVersion =
  | { readonly state: 'stated'; readonly raw: string }
  /** The version comes from tags, and the commit has none. */
  | { readonly state: 'untagged' }
  | { readonly state: 'missing'; readonly places: readonly string[] }
  | { readonly state: 'ambiguous'; readonly places: readonly string[] };

export interface StepBackInput {
  readonly context: RunContext;
  readonly target: {
    readonly version: StatedVersion;
    readonly tag?: string | undefined;
    readonly commit: string;
    readonly tree: string;
  };
  /** Every tag of the repository, or that they could not be listed. */
  readonly tags: readonly TagFact[] | 'unavailable';
  /** `releases.tags` of knowngood.yml. */
  readonly pattern: string;
  readonly canonical?: Canonical | undefined;
  readonly pin?: Pin | undefined;
  readonly knownBroken: readonly KnownBroken[];
  /** Whether the upgrade tier is asked for at all. */
  readonly upgrade: boolean;
  /** Candidate versions for which it is declared not applicable; without `versions`: all. */
  readonly expectedNa?: { readonly reason: string; readonly versions?: string | undefined } | undefined;
  /** Most major versions between base and candidate (in 0.x: minor). */
  readonly maxMajorStep: number;
  /** Tags of releases whose image the registry does not have: found out by asking for the base, then the next. */
  readonly withoutImage?: readonly string[];
  readonly now: Date;
}

export interface StepBackAnswer {
  readonly decision: 'run' | 'na' | 'skip';
  readonly reason: ReasonCode;
  readonly base?: Release;
  readonly notes: readonly Note[];
  /** Releases that could have been the base, newest first. */
  readonly considered: readonly Release[];
  readonly rejected: readonly Rejection[];
  /** What the answer would be without the pin; there whenever a pin was given and read. */
  readonly withoutPin?: Plain;
}

/** An answer without its explanation. */
export interface Plain {
  readonly decision: 'run' | 'na' | 'error';
  readonly reason: ReasonCode;
  readonly base?: Release;
}

/**
 * Which release the upgrade test starts from. Pure: the same inputs always give the same answer, whatever their
 * order. Fails with the codes that the decision table calls errors.
 */
export function stepBack(input: StepBackInput): StepBackAnswer {
  const { target, now } = input;
  const version = target.version.state === 'stated' ? parseVersion(target.version.raw) : undefined;
  if (!input.upgrade) return plainNa('not-requested');
  if (isExpectedNa(input.expectedNa, version)) return plainNa('expected-na');
  assertStated(target.version);
  if (input.tags === 'unavailable') throw new Failure('tags-unavailable');

  const preferred = [input.canonical?.tag, target.tag].filter((tag) => tag !== undefined);
  const list = listReleases(input.tags, parsePattern(input.pattern), preferred);
  const raw = target.version.state === 'stated' ? target.version.raw : undefined;
  if (input.context === 'release') {
    const skip = triage({
      list,
      target: { commit: target.commit, ...optional('version', raw), ...optional('tag', target.tag) },
      canonical: input.canonical,
    });
    if (skip !== undefined) {
      return { decision: 'skip', reason: skip.reason, notes: [], considered: [], rejected: list.rejected };
    }
  }

  const notes: Note[] = unusedEntries(input, [...list.releases, ...list.ambiguous]);
  const broken = brokenTest(input.knownBroken, now);
  const facts = { version, commit: target.commit, tree: target.tree };
  const pinned = input.pin === undefined ? {} : usablePin(input.pin, list, facts, broken, now);
  const canonical = input.canonical === undefined ? {} : usableCanonical(input.canonical, list, broken);
  for (const { note } of [pinned, canonical]) if (note !== undefined) notes.push(note);

  const state =
    target.version.state === 'untagged' ? 'untagged' : version === undefined ? 'unparseable' : 'ordered';
  const asked: ChooseInput = { list, target: { ...facts, state }, canonical: canonical.release, broken };
  const choice = choose(asked);
  const missing = input.withoutImage ?? [];
  const usual = limited(withImage(choice, missing), asked, input.maxMajorStep);
  let answer: StepBackAnswer;
  if (pinned.release === undefined) {
    if (usual instanceof Failure) throw usual;
    answer = { ...usual, notes: [...notes, ...usual.notes] };
  } else {
    const bound = limited(withImage(byPin(choice, pinned.release), missing), asked, input.maxMajorStep);
    if (bound instanceof Failure) throw bound;
    const redundant = !(usual instanceof Failure) && usual.base?.commit === pinned.release.commit;
    answer = {
      ...bound,
      notes: [...notes, ...bound.notes, ...(redundant ? [{ code: 'pin-redundant' as const }] : [])],
    };
  }
  if (input.pin !== undefined) answer = { ...answer, withoutPin: plain(usual) };
  assertInvariants(answer, asked, input.context);
  return answer;
}

function plainNa(reason: 'not-requested' | 'expected-na'): StepBackAnswer {
  return { decision: 'na', reason, notes: [], considered: [], rejected: [] };
}

/** Whether the upgrade tier is declared not applicable for this version. */
export function isExpectedNa(declared: StepBackInput['expectedNa'], version: Version | undefined): boolean {
  if (declared === undefined) return false;
  if (declared.versions === undefined) return true;
  return version !== undefined && parseRange(declared.versions)?.(version) === true;
}

function assertStated(version: StatedVersion): void {
  if (version.state !== 'missing' && version.state !== 'ambiguous') return;
  const places = version.places.join(', ');
  throw version.state === 'missing'
    ? new Failure(
        'target-version-missing',
        `The version of the candidate is stated nowhere (looked at: ${places}).`,
      )
    : new Failure(
        'target-version-ambiguous',
        `The version of the candidate is stated differently: ${places}.`,
      );
}

type PinChoice = Omit<Choice, 'reason'> & { readonly reason: 'pin' };

/** The choice with the pin as base, and the pin no longer among what was considered against it. */
function byPin(choice: Choice, release: Release): PinChoice {
  return {
    decision: 'run',
    reason: 'pin',
    base: release,
    notes: choice.notes.filter(({ code }) => code !== 'canonical-lags'),
    considered: choice.considered,
    rejected: choice.rejected.filter(({ tag }) => !release.spellings.includes(tag)),
  };
}

/** The choice, or the next older release that could have been chosen and has an image; never one built silently. */
function withImage<C extends Choice | PinChoice>(choice: C, missing: readonly string[]): C | Choice {
  const has = (release: Release): boolean => !release.spellings.some((tag) => missing.includes(tag));
  if (choice.base === undefined || has(choice.base)) return choice;
  const { base, considered, rejected, notes, reason } = choice;
  const absent = [base, ...considered].filter(
    (release, index, all) => !has(release) && all.indexOf(release) === index,
  );
  const next = considered.find(
    (release) => compareVersions(release.version, base.version) < 0 && has(release),
  );
  const sorted = {
    notes,
    considered: considered.filter(has),
    rejected: [...rejected, ...absent.map(({ tag }) => ({ tag, reason: 'base-image-missing' as const }))],
  };
  if (next === undefined) return { decision: 'na', reason: 'no-usable-older', ...sorted };
  // The reasons that name the canonical or the pin would not be true of another release.
  const named = reason === 'pin' || reason.startsWith('canonical');
  if (!named) return { ...choice, base: next, ...sorted };
  const kept = notes.filter(({ code }) => code !== 'canonical-lags');
  return { decision: 'run', reason: 'previous-release', base: next, ...sorted, notes: kept };
}

/** The choice with a note where it crosses a major version, or the Failure where it crosses too many. */
function limited<C extends Omit<Choice, 'reason'> & { readonly reason: ReasonCode }>(
  choice: C,
  { list, target }: ChooseInput,
  most: number,
): C | Failure {
  if (choice.base === undefined || target.version === undefined) return choice;
  const step = majorStep(choice.base.version, target.version);
  if (step === '0') return choice;
  const failure = tooFar(choice.base, target.version, step, most, list.releases);
  if (failure !== undefined) return failure;
  return { ...choice, notes: [...choice.notes, { code: 'crosses-major', about: choice.base.tag }] };
}

function plain(choice: Choice | Failure): Plain {
  if (choice instanceof Failure) return { decision: 'error', reason: choice.code };
  return { decision: choice.decision, reason: choice.reason, ...optional('base', choice.base) };
}

/** Known-broken entries that do nothing: expired, or about no release. */
function unusedEntries({ knownBroken, now }: StepBackInput, releases: readonly Release[]): Note[] {
  return knownBroken
    .filter(
      ({ version, until }) => isOver(until, now) || !releases.some((release) => isAbout(version, release)),
    )
    .map(({ version }) => ({ code: 'known-broken-unused', about: version }));
}

/** What must hold for every answer; a defect of ours, never the recipe's. */
function assertInvariants(
  answer: StepBackAnswer,
  { list, target, broken }: ChooseInput,
  context: RunContext,
): void {
  const { base } = answer;
  const wrong =
    (answer.decision === 'run') !== (base !== undefined)
      ? 'a run without a base, or a base without a run'
      : context === 'release' && answer.reason.startsWith('samever-')
        ? 'a step-back in a release'
        : base === undefined
          ? undefined
          : !list.releases.includes(base)
            ? 'the base is not exactly a release'
            : !isOlder(base, target)
              ? 'the base is not older than the candidate'
              : isTarget(base, target)
                ? 'the base is the candidate'
                : broken(base)
                  ? 'the base is known broken'
                  : undefined;
  if (wrong !== undefined) throw new Failure('base-invariant', `step-back chose wrongly: ${wrong}.`);
}

function optional<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: T };
}
