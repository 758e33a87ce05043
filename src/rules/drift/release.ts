import { isReservedTag, tagOfVersion, versionOfTag } from '../../oci/tag.ts';
import { Failure, type Finding, finding } from '../../outcome.ts';
import { parseVersion, versionKey } from '../version.ts';
import { type Known, open } from './looked-up.ts';

/** A release as git has it. */
export interface GitRelease {
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
}

export interface ReleaseFacts {
  /** Releases that git has, newest first. */
  readonly releases: readonly GitRelease[];
  /** The tags of the own image; absent where the recipe has none. */
  readonly image?: { readonly name: string; readonly tags: Known<readonly string[]> };
  /** Tags of the forge's releases, drafts left out; absent where the forge was not asked. */
  readonly forge?: Known<readonly string[]>;
  /** Whether the release branch has commits after its newest release. */
  readonly branch: { readonly name: string; readonly ahead: boolean };
}

/** Release tags in git, version tags in the registry and releases of the forge name the same versions. */
export function checkRelease(facts: ReleaseFacts): Finding[] {
  const { releases, image, forge, branch } = facts;
  const findings: Finding[] = [];
  if (image !== undefined) {
    if ('known' in image.tags) findings.push(...imageTags(releases, image.name, image.tags.known));
    else findings.push(open(`The tags of ${image.name}`, image.tags));
  }
  if (forge !== undefined) {
    if ('known' in forge) findings.push(...forgeReleases(releases, forge.known));
    else findings.push(open('The releases of the forge', forge));
  }
  const [newest] = releases;
  if (newest !== undefined && branch.ahead) {
    findings.push(
      finding(
        'untagged-ahead',
        'info',
        `${branch.name} has commits after ${newest.tag}, the newest release.`,
      ),
    );
  }
  return findings;
}

function imageTags(releases: readonly GitRelease[], image: string, tags: readonly string[]): Finding[] {
  const published = new Map(
    tags.flatMap((tag) => {
      const version = isReservedTag(tag) ? undefined : parseVersion(versionOfTag(tag));
      return version === undefined ? [] : [[versionKey(version), tag] as const];
    }),
  );
  const keys = releases.map(({ version }) => keyOf(version));
  // Releases from before the image was published at all are history, not drift.
  const oldest = keys.findLastIndex((key) => published.has(key));
  const missing = releases
    .slice(0, Math.max(oldest, 0) + 1)
    .filter((_, index) => !published.has(keys[index]!));
  return [
    ...missing.map(({ version, tag }) =>
      finding('unpublished-release', 'warning', `The release ${tag} is not in ${image}.`, {
        expected: tagText(version),
      }),
    ),
    ...[...published]
      .filter(([key]) => !keys.includes(key))
      .map(([, tag]) =>
        finding('unreleased-tag', 'warning', `${image} has the tag ${tag}, and git has no such release.`, {
          found: tag,
        }),
      ),
  ];
}

/** A project that makes no releases on its forge is not told to begin; one that does, about the newest only. */
function forgeReleases(releases: readonly GitRelease[], forge: readonly string[]): Finding[] {
  const [newest] = releases;
  const known = new Set(releases.map(({ version }) => keyOf(version)));
  const there = new Set(forge.map(keyOf));
  const found: Finding[] = forge
    .filter((tag) => parseVersion(tag) !== undefined && !known.has(keyOf(tag)))
    .map((tag) =>
      finding('unreleased-tag', 'info', `The forge has a release ${tag}, and git has no such release tag.`),
    );
  const used = forge.some((tag) => known.has(keyOf(tag)));
  if (newest !== undefined && used && !there.has(keyOf(newest.version)) && !forge.includes(newest.tag)) {
    found.push(
      finding('unpublished-release', 'info', `The forge has no release for ${newest.tag}.`, {
        remedy: 'Write the release on the forge.',
      }),
    );
  }
  return found;
}

function keyOf(text: string): string {
  const version = parseVersion(text);
  return version === undefined ? text : versionKey(version);
}

function tagText(version: string): string {
  try {
    return tagOfVersion(version);
  } catch (error) {
    if (error instanceof Failure) return version;
    throw error;
  }
}
