/** What the steps promote, rollback and hold need of this room. */
export { releasesThatCount } from './floating.ts';
export { changeHold } from './hold.ts';
export { readEvidence } from './judged-on.ts';
export { promoteRelease } from './promote.ts';
export { publishedTags } from './published-tags.ts';
export { rollBack } from './rollback.ts';
export { tagWriter } from './tag-writer.ts';
