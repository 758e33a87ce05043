import type { CanonicalRecord } from '../../ledger/record.ts';
import { formatReference, parseReference, type Reference, withDigest, withTag } from '../../oci/reference.ts';
import { Failure } from '../../outcome.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Release } from '../../rules/releases.ts';
import type { StepBackAnswer } from '../../rules/step-back.ts';
import { versionTag } from '../../rules/tag-plan.ts';
import { parseVersion } from '../../rules/version.ts';
import type { StepInput } from '../step.ts';

/** Questions about one image each, before all tags are listed at once. */
const SINGLE_QUESTIONS = 4;

/**
 * The answer whose base has an image, and that image by digest. A base without one is rejected and the rules are
 * asked again: nothing is ever built in its place. Recipes without an own image need none. That the registry does
 * not answer is a Failure, never absence.
 */
export async function withImages(
  { candidate, tools }: StepInput,
  record: CanonicalRecord | undefined,
  ask: (withoutImage: readonly string[]) => StepBackAnswer,
): Promise<{ answer: StepBackAnswer; ref: string | undefined }> {
  const { subject } = candidate;
  let answer = ask([]);
  if (subject.kind !== 'image' || answer.base === undefined) return { answer, ref: undefined };
  const images = new Images(await tools.registry(), parseReference(subject.image), record);
  const missing = new Set<string>();
  for (let asked = 0; answer.base !== undefined; asked++) {
    // What would be chosen without the pin must be a possible answer too, or `pin-redundant` could be wrong.
    const bases = [answer.base, answer.withoutPin?.base].filter((base) => base !== undefined);
    const absent: Release[] = [];
    for (const base of bases) if ((await images.of(base)) === undefined) absent.push(base);
    if (absent.length === 0) return { answer, ref: await images.of(answer.base) };
    if (asked >= SINGLE_QUESTIONS) absent.push(...(await images.unlisted(answer.considered)));
    for (const { spellings } of absent) for (const tag of spellings) missing.add(tag);
    answer = ask([...missing]);
  }
  return { answer, ref: undefined };
}

/** Images of releases, each asked for once. */
class Images {
  private readonly registry: Registry;
  private readonly image: Reference;
  private readonly record: CanonicalRecord | undefined;
  private readonly known = new Map<string, string | undefined>();

  constructor(registry: Registry, image: Reference, record: CanonicalRecord | undefined) {
    this.registry = registry;
    this.image = image;
    this.record = record;
  }

  /** `name@digest`; `undefined` where the registry has no such image. */
  async of(release: Release): Promise<string | undefined> {
    if (!this.known.has(release.tag)) this.known.set(release.tag, await this.look(release));
    return this.known.get(release.tag);
  }

  /** Releases of which no version tag is listed. Where tags cannot be listed, none: each is asked for. */
  async unlisted(releases: readonly Release[]): Promise<Release[]> {
    try {
      const listed = new Set(await this.registry.tags(this.image));
      return releases.filter(
        (release) => !this.isCanonical(release) && !tagsOf(release).some((tag) => listed.has(tag)),
      );
    } catch (cause) {
      if (cause instanceof Failure && cause.code === 'registry-denied') return [];
      throw cause;
    }
  }

  private isCanonical({ commit, spellings }: Release): boolean {
    return this.record?.commit === commit && spellings.includes(this.record.tag);
  }

  private async look(release: Release): Promise<string | undefined> {
    const subject = this.isCanonical(release) ? this.record?.subject : undefined;
    if (subject?.kind === 'image') {
      // The very image that was promoted: whoever can push may have moved its tag since.
      const promoted = withDigest(parseReference(subject.image), subject.digest);
      return (await this.registry.resolve(promoted)) && formatReference(promoted);
    }
    for (const tag of tagsOf(release)) {
      const found = await this.registry.resolve(withTag(this.image, tag));
      if (found !== undefined) return formatReference(withDigest(this.image, found.digest));
    }
    return undefined;
  }
}

/** The tags that an image of this release may have: as build-push writes it, then as other tools copy a tag of git. */
function tagsOf({ version, spellings }: Release): string[] {
  const tags = new Set<string>();
  // A tag of git may have a prefix that no image has.
  for (const text of [version.raw, ...spellings.filter((tag) => parseVersion(tag) !== undefined)]) {
    try {
      const tag = versionTag(text);
      tags.add(tag);
      if (/^v\d/.test(text)) tags.add(`v${tag}`);
    } catch (cause) {
      // A version that no tag can stand for has no image.
      if (!(cause instanceof Failure)) throw cause;
    }
  }
  return [...tags];
}
