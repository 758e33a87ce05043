import { canonicalJson, type Json } from './canonical-json.ts';
import type { RecipeDocument, RecipeImage } from './document.ts';
import { byteOrder } from './order.ts';
import type { TreeFile } from './tree.ts';

/** One input of a recipe that is not what it was. */
export interface Difference {
  /** `context`, `dockerfile`, `base`, `build-arg` …; what of it, where it has parts: a path, a reference, a name. */
  readonly input: Input;
  readonly name?: string;
  readonly before?: string;
  readonly after?: string;
}

export type Input =
  | 'kind'
  | 'context'
  | 'dockerfile'
  | 'ignore-file'
  | 'target'
  | 'platforms'
  | 'build-arg'
  | 'base'
  | 'frontend'
  | 'label'
  | 'image';

/** One side of a comparison; with its files, a difference of trees is named down to the paths. */
export interface Side {
  readonly document: RecipeDocument;
  readonly files?: readonly TreeFile[];
}

/** What differs between two recipes, in a fixed order. Empty: they are the same recipe. */
export function recipeDifferences(before: Side, after: Side): readonly Difference[] {
  const was = before.document;
  const is = after.document;
  if (was.kind === 'compose' && is.kind === 'compose') {
    return [
      ...trees('context', was.tree, is.tree, before.files, after.files),
      ...(was.tree === is.tree ? value('context', was.files, is.files) : []),
      ...parts('image', images(was.images), images(is.images)),
    ];
  }
  if (was.kind !== 'image' || is.kind !== 'image') return value('kind', was.kind, is.kind);
  return [
    ...value('dockerfile', was.dockerfile, is.dockerfile),
    ...value('ignore-file', was.ignoreFile, is.ignoreFile),
    ...trees('context', was.context, is.context, before.files, after.files),
    ...parts('base', byReference(was.bases), byReference(is.bases)),
    ...value('frontend', was.frontend, is.frontend),
    ...value('target', was.target, is.target),
    ...value('platforms', was.platforms, is.platforms),
    ...parts('build-arg', was.buildArgs, is.buildArgs),
    ...parts('label', was.labels, is.labels),
  ];
}

/** Whether nothing but digests of images moved: then the recipe in git is the same. */
export function onlyBasesMoved(differences: readonly Difference[]): boolean {
  return (
    differences.length > 0 &&
    differences.every(
      ({ input, before, after }) =>
        ['base', 'frontend', 'image'].includes(input) && before !== undefined && after !== undefined,
    )
  );
}

/**
 * For people: `context: src/a.ts changed`, `base docker.io/library/alpine:3.20 moved`. No values of build arguments
 * or labels; names are untrusted text. At most `limit` of them, then how many more there are.
 */
export function describeDifferences(differences: readonly Difference[], limit = 20): readonly string[] {
  const shown = differences.slice(0, limit).map(({ input, name, before, after }) => {
    const what = before === undefined ? 'is new' : after === undefined ? 'is gone' : 'changed';
    const moved = what === 'changed' && ['base', 'frontend', 'image'].includes(input) ? 'moved' : what;
    if (name === undefined) return `${input} ${moved}`;
    return input === 'context' ? `context: ${name} ${what}` : `${input} ${name} ${moved}`;
  });
  const rest = differences.length - shown.length;
  return rest > 0 ? [...shown, `${rest} more`] : shown;
}

function trees(
  input: Input,
  before: string,
  after: string,
  filesBefore: readonly TreeFile[] | undefined,
  filesAfter: readonly TreeFile[] | undefined,
): Difference[] {
  if (before === after) return [];
  const named =
    filesBefore === undefined || filesAfter === undefined
      ? []
      : parts(input, byPath(filesBefore), byPath(filesAfter));
  return named.length > 0 ? named : [{ input, before, after }];
}

function value(input: Input, before: Json | undefined, after: Json | undefined): Difference[] {
  const was = before === undefined ? undefined : canonicalJson(before);
  const is = after === undefined ? undefined : canonicalJson(after);
  if (was === is) return [];
  return [{ input, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }];
}

function parts(
  input: Input,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(byteOrder);
  return names.flatMap((name) => {
    const was = Object.hasOwn(before, name) ? before[name] : undefined;
    const is = Object.hasOwn(after, name) ? after[name] : undefined;
    if (was === is) return [];
    return [
      { input, name, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) },
    ];
  });
}

function byReference(images: readonly RecipeImage[]): Record<string, string> {
  return Object.fromEntries(images.map(({ reference, digest }) => [reference, digest ?? 'unresolved']));
}

function images(byService: Readonly<Record<string, RecipeImage>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(byService).map(([service, image]) => [service, canonicalJson(image)]),
  );
}

function byPath(files: readonly TreeFile[]): Record<string, string> {
  return Object.fromEntries(files.map(({ path, mode, id }) => [path, `${mode} ${id}`]));
}
