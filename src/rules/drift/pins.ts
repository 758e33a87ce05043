import type { Digest } from '../../oci/digest.ts';
import { formatReference, repositoryName } from '../../oci/reference.ts';
import { versionOfTag } from '../../oci/tag.ts';
import { type Finding, finding } from '../../outcome.ts';
import type { Pin, Unreadable } from '../../pins/pin.ts';
import type { ReasonCode } from '../../reasons.ts';
import { compareVersions, parseVersion } from '../version.ts';
import { type Known, open, short } from './looked-up.ts';

/** What the own image should be pinned to. */
export interface OwnRelease {
  /** `host/repository` of the own image. */
  readonly image: string;
  readonly version: string;
  readonly digest?: Digest;
  /** For people: `the known-good release`, `the latest release`. */
  readonly what: string;
  /** What else was promoted, for digests without a tag. */
  readonly promoted: readonly { readonly version: string; readonly digest: Digest }[];
}

/** A pin and what its registry says about it. */
export interface LookedAtPin {
  readonly pin: Pin;
  /**
   * `not-asked`: a pull request's new host. Else what the tag (the digest, where there is no tag) is now;
   * `same`: whether a pinned digest has the content that the tag has now.
   */
  readonly state: 'not-asked' | Known<{ readonly digest: Digest; readonly same: boolean } | undefined>;
}

export interface PinFacts {
  readonly pins: readonly LookedAtPin[];
  readonly unreadable: readonly Unreadable[];
  readonly own: readonly OwnRelease[];
}

/** Every image that a file names: our own against the known-good release, others against their registry. */
export function checkPins({ pins, unreadable, own }: PinFacts): Finding[] {
  const releases = new Map(own.map((release) => [release.image, release]));
  const findings = pins.flatMap((looked): Finding[] => {
    const release = releases.get(repositoryName(looked.pin.reference));
    if (release === undefined && looked.pin.built) return [];
    return release === undefined ? otherPin(looked) : ownPin(looked, release);
  });
  const seen = new Set<string>();
  return [
    ...findings,
    ...unreadable.map(({ at, why }) =>
      finding('pin-unreadable', 'info', `An image could not be read: ${why}.`, { at }),
    ),
  ].filter((one) => {
    // A variable that several services use is one place to correct.
    const key = JSON.stringify([one.code, one.at, one.message]);
    return !seen.has(key) && seen.add(key);
  });
}

function ownPin(looked: LookedAtPin, release: OwnRelease): Finding[] {
  const { pin } = looked;
  const { tag, digest } = pin.reference;
  const pinned = tag === undefined ? undefined : parseVersion(versionOfTag(tag));
  const wanted = parseVersion(release.version);
  const name = formatReference(pin.reference);
  const replacement = pin.rewrite({
    tag: wantedTag(tag, release.version),
    digest: digest === undefined ? undefined : release.digest,
  });
  const more = { expected: release.version, ...(replacement === undefined ? {} : { replacement }) };
  const order = pinned === undefined || wanted === undefined ? undefined : compareVersions(pinned, wanted);
  const is = `${name}; ${release.what} is ${release.version}`;
  if (order !== undefined && order < 0) {
    return [about('pin-behind', 'warning', looked, `This names ${is}.`, { ...more, found: name })];
  }
  if (pin.built) return [];
  if (order !== undefined && order > 0) {
    const there = existence(looked);
    if (there.length > 0) return there;
    return [about('pin-ahead', 'warning', looked, `This names ${is}.`, { ...more, found: name })];
  }
  if (tag === undefined && digest !== undefined) {
    if (digest === release.digest) return [];
    const older = release.promoted.find((one) => one.digest === digest);
    if (older !== undefined) {
      const message = `This names ${older.version} by its digest; ${release.what} is ${release.version}.`;
      return [about('pin-behind', 'warning', looked, message, { ...more, found: digest })];
    }
  }
  return otherPin(looked, release, order);
}

/** Existence, digest and floating: all that can be said about an image whose releases are not ours. */
function otherPin(looked: LookedAtPin, release?: OwnRelease, order?: number): Finding[] {
  const { pin, state } = looked;
  const { tag, digest } = pin.reference;
  const name = formatReference(pin.reference);
  const gone = existence(looked);
  if (gone.length > 0) return gone;
  const now = state === 'not-asked' || 'unanswered' in state ? undefined : state.known;
  if (digest !== undefined) {
    if (tag === undefined || now === undefined || now.same) return [];
    const replacement = pin.rewrite({ tag, digest: (order === 0 && release?.digest) || now.digest });
    const message = `The tag of ${name} holds other content now: ${short(now.digest)}.`;
    return [
      about('pin-digest-stale', 'warning', looked, message, {
        expected: now.digest,
        found: digest,
        ...(replacement === undefined ? {} : { replacement }),
      }),
    ];
  }
  if (tag !== undefined && (order === 0 || !floats(tag))) return [];
  // Of our own image the release is known; of another only what its tag holds now.
  const replacement =
    release !== undefined
      ? pin.rewrite({ tag: wantedTag(undefined, release.version) })
      : now && pin.rewrite({ tag: tag ?? 'latest', digest: now.digest });
  const what = tag === undefined ? `${name} has no tag, which means \`latest\`` : `The tag of ${name} moves`;
  return [
    about('pin-floating', 'info', looked, `${what}.`, replacement === undefined ? {} : { replacement }),
  ];
}

/** What is not there, was not asked, or gave no answer. */
function existence(looked: LookedAtPin): Finding[] {
  const { pin, state } = looked;
  const name = formatReference(pin.reference);
  if (state === 'not-asked') {
    const message = `${pin.reference.registry} is new in this pull request; ${name} was not looked up.`;
    return [about('pin-unknown-host', 'info', looked, message, {})];
  }
  if ('unanswered' in state) return [{ ...open(name, state), at: pin.at }];
  if (state.known !== undefined) return [];
  return [about('pin-unknown-tag', 'warning', looked, `${name} is not in its registry.`, { found: name })];
}

/** A finding at the pin's place. It shows the reference that was matched, never the line that it stands in. */
function about(
  code: ReasonCode,
  level: Finding['level'],
  { pin }: LookedAtPin,
  message: string,
  more: Partial<Finding>,
): Finding {
  const { usedAt } = pin;
  const used = usedAt === undefined ? '' : ` It is used in ${usedAt.file}:${usedAt.line}.`;
  const remedy = more.replacement === undefined ? {} : { remedy: `Write \`${more.replacement}\` here.` };
  return finding(code, level, message + used, { ...remedy, ...more, at: pin.at });
}

/** The version as this pin spells versions, so that a `v` stays a `v`. */
function wantedTag(tag: string | undefined, version: string): string {
  const plain = version.replace(/^v(?=\d)/, '').replaceAll('+', '_');
  return tag !== undefined && /^v\d/.test(tag) ? `v${plain}` : plain;
}

const MOVING: ReadonlySet<string> = new Set(
  'latest edge main master develop dev nightly stable unstable canary rolling mainline testing next'.split(
    ' ',
  ),
);

/** Whether a tag names a line of releases and not a release: `latest`, `16`, `3.20`, `20-bookworm`, `stable-slim`. */
export function floats(tag: string): boolean {
  const [first = ''] = tag.split('-');
  if (MOVING.has(first.toLowerCase())) return true;
  return /^v?\d{1,4}(?:\.\d{1,4})?$/.test(first);
}
