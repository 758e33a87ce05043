import { digestOf } from '../oci/digest.ts';
import { canonicalJson } from './canonical-json.ts';
import { byteOrder } from './order.ts';

/** An image that goes into a recipe; without a digest it is not resolved. */
export type RecipeImage = {
  /** Fully qualified, as it was named. */
  readonly reference: string;
  readonly digest?: string;
};

/** A file that counts by its bytes. */
export type RecipeFile = { readonly path: string; readonly digest: string };

/**
 * Everything that goes into a build and is known before it. Version, revision, time and builder stay out: one recipe
 * is one recipe in every commit. `platforms` is what was asked for; empty means the engine's own.
 */
export type ImageDocument = {
  readonly schema: 'knowngood/recipe/v1';
  readonly kind: 'image';
  /** The tree of the build context, 64 hex. */
  readonly context: string;
  /** Relative to the context, as the ignore file. */
  readonly dockerfile: RecipeFile;
  readonly ignoreFile?: RecipeFile;
  readonly target?: string;
  readonly platforms: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Of every FROM, COPY --from and RUN --mount from, sorted by reference. */
  readonly bases: readonly RecipeImage[];
  readonly frontend?: RecipeImage;
  readonly labels: Readonly<Record<string, string>>;
};

/** A compose application: its files and its images. */
export type ComposeDocument = {
  readonly schema: 'knowngood/recipe/v1';
  readonly kind: 'compose';
  /** The tree of `files`, 64 hex. */
  readonly tree: string;
  /** Relative to the application's folder, sorted. */
  readonly files: readonly string[];
  /** By service. */
  readonly images: Readonly<Record<string, RecipeImage>>;
};

export type RecipeDocument = ImageDocument | ComposeDocument;

export interface Recipe {
  readonly document: RecipeDocument;
  /** The document as canonical JSON: what is hashed, and what the label `dev.knowngood.inputs` holds. */
  readonly text: string;
  /** `v1:sha256:<64 hex>`; absent while an image is unresolved. */
  readonly digest?: string;
  /** References without a digest, sorted; also `$TARGETARCH` and its kin where the platform is not known. */
  readonly unresolved: readonly string[];
}

/** The text and the digest of a document. `unknown`: what it should name and cannot. */
export function seal(document: RecipeDocument, unknown: readonly string[] = []): Recipe {
  const text = canonicalJson(document);
  const without = imagesOf(document).flatMap(({ reference, digest }) =>
    digest === undefined ? [reference] : [],
  );
  const unresolved = [...new Set([...without, ...unknown])].sort(byteOrder);
  return { document, text, unresolved, ...(unresolved.length === 0 && { digest: `v1:${digestOf(text)}` }) };
}

/** Every image that a document names. */
export function imagesOf(document: RecipeDocument): readonly RecipeImage[] {
  if (document.kind === 'compose') return Object.values(document.images);
  return document.frontend === undefined ? document.bases : [...document.bases, document.frontend];
}
