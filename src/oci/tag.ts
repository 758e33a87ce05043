import { Failure } from '../outcome.ts';
import { isTag } from './reference.ts';

/**
 * The tag of a version. A leading `v` is how some people write tags of git and belongs to no version. `+` is no tag
 * character and becomes `_`, as Helm writes it; so that the way back stays unique, a version that has a `_` of its
 * own has no tag. Fails with `tag-unrepresentable` or `tag-reserved`.
 */
export function tagOfVersion(version: string): string {
  const tag = version.replace(/^v(?=\d)/, '').replaceAll('+', '_');
  const why = version.includes('_')
    ? 'it has a `_` of its own'
    : tag.length > 128
      ? `it has ${tag.length} characters, and a tag has at most 128`
      : isTag(tag)
        ? undefined
        : 'it has characters that a tag cannot have';
  const shown = JSON.stringify(version.slice(0, 140));
  if (why !== undefined) {
    throw new Failure(
      'tag-unrepresentable',
      `The version ${shown} cannot be written as an image tag: ${why}.`,
    );
  }
  if (isReservedTag(tag))
    throw new Failure('tag-reserved', `The version ${shown} would be the reserved tag ${tag}.`);
  return tag;
}

/** The version that this tag would stand for: the way back of `tagOfVersion`. */
export function versionOfTag(tag: string): string {
  return tag.replaceAll('_', '+');
}

/**
 * Tags that only knowngood or signing tools write: floating and staging names, and the fallback and signature tags
 * that verifiers trust by name. In any case, since people read `Latest` as `latest`.
 */
export function isReservedTag(tag: string): boolean {
  return /^(?:latest|edge|canonical|sha-.*|pr-.*|sha256-.*|.*\.(?:sig|att))$/i.test(tag);
}
