import type { RunContext } from '../dossier/schema.ts';
import { isTag } from '../oci/reference.ts';
import { isReservedTag, tagOfVersion } from '../oci/tag.ts';
import { Failure } from '../outcome.ts';
import { isFloatingName } from './floating-tags.ts';
import { parseVersion } from './version.ts';

/** What decides where an image is staged. */
export interface StageFacts {
  readonly runContext: RunContext;
  /** A push to the release branch. */
  readonly onReleaseBranch: boolean;
  /** The pull request that is built; `fork` also where its repository is gone. */
  readonly pullRequest?: { readonly number?: number; readonly fork: boolean };
  /** The setting `candidate` names foreign bytes. */
  readonly candidateGiven: boolean;
  /** The candidate's commit, full. */
  readonly commit: string;
  /** The candidate's version as it is written; absent where it has none. */
  readonly version?: string;
  readonly push: 'auto' | 'always' | 'never';
  readonly publish: 'on-promote' | 'on-push';
  /** The setting `tags`. */
  readonly tags: readonly string[];
  /** The registry takes us: there is a credential for it, or it asks for none. */
  readonly credentials: boolean;
}

/** Why nothing is pushed. */
export type NoPush = 'fork' | 'no-credentials' | 'event' | 'setting';

export type StagePlan =
  | { readonly push: false; readonly why: NoPush }
  | {
      readonly push: true;
      /** The tag that the image arrives under, and that nobody pulls. */
      readonly stage: string;
      /** Tags that follow each push: `edge`. */
      readonly moving: readonly string[];
      /** Tags of the setting `tags`: never moved to other content unless that is allowed. */
      readonly extra: readonly string[];
      /** The exact version, put by this step only with `publish: on-push`; never moved. */
      readonly version?: string;
    };

/**
 * Where this run stages its image, or why it pushes nothing: the table "Events" of the contract. `always` cannot
 * make a fork push. Fails with `tag-reserved`, `tag-unrepresentable`, `setting-invalid` or `setting-missing`.
 */
export function planStage(facts: StageFacts): StagePlan {
  const extra = checkedTags(facts.tags);
  const foreign = facts.pullRequest !== undefined || facts.candidateGiven;
  if (facts.pullRequest?.fork) return { push: false, why: 'fork' };
  if (facts.push === 'never') return { push: false, why: 'setting' };
  const byEvent = !foreign && (facts.runContext === 'release' || facts.onReleaseBranch);
  if (!byEvent && facts.push !== 'always') return { push: false, why: 'event' };
  if (!facts.credentials) return { push: false, why: 'no-credentials' };

  const short = facts.commit.slice(0, 12);
  if (foreign) {
    const number = facts.pullRequest?.number;
    if (number === undefined) {
      throw new Failure(
        'setting-missing',
        'The candidate is to be pushed, and of which pull request it is, is not known.',
        {
          remedy: 'Set `pull-request` beside `candidate`, or leave `push` at `auto`.',
        },
      );
    }
    return { push: true, stage: `pr-${number}-${short}`, moving: [], extra: [] };
  }
  const publishes = facts.publish === 'on-push' && facts.runContext === 'release';
  if (publishes && facts.version === undefined) {
    throw new Failure('setting-missing', 'The release is to be published on push, and it has no version.', {
      remedy: 'Set `version`, or name in knowngood.yml where it is found.',
    });
  }
  return {
    push: true,
    stage: `sha-${short}`,
    moving: facts.onReleaseBranch ? ['edge'] : [],
    extra,
    ...(publishes && facts.version !== undefined ? { version: versionTag(facts.version) } : {}),
  };
}

/**
 * The exact tag of a version, as build-push and promote put it: without a leading `v`, as the version label has it,
 * `+` as `_`. Fails with `tag-unrepresentable`, and with `tag-reserved` for a name that floats.
 */
export function versionTag(version: string): string {
  const tag = tagOfVersion(version);
  if (isFloatingName(tag)) {
    throw new Failure('tag-reserved', `The version ${tag} would be the floating tag of its line.`, {
      remedy: 'Use a version of three numbers.',
    });
  }
  return tag;
}

/** Whether this tag names an exact version, so that no setting may let it move. */
export function isVersionTag(tag: string): boolean {
  return parseVersion(tag.replace('_', '+')) !== undefined;
}

function checkedTags(tags: readonly string[]): readonly string[] {
  for (const tag of tags) {
    const shown = JSON.stringify(tag.slice(0, 140));
    if (!isTag(tag)) {
      throw new Failure('setting-invalid', `${shown} in \`tags\` cannot be a tag.`, {
        remedy: 'Give tags without the name of the image: letters, digits, `_`, `.` and `-`, at most 128.',
      });
    }
    if (isReservedTag(tag)) throw new Failure('tag-reserved', `${shown} in \`tags\` is reserved.`);
    if (isFloatingName(tag)) {
      throw new Failure('tag-reserved', `${shown} in \`tags\` is a floating tag, which only promote moves.`);
    }
  }
  return [...new Set(tags)];
}
