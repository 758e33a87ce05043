/** What the step `drift` needs of this room. */
export { dockerfileVersions } from './dockerfile-version.ts';
export { readPins } from './read-tree.ts';
