import { type Digest, digestOf } from '../oci/digest.ts';
import { formatPlatform, parsePlatform } from '../oci/platform.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { type Base, type Bases, readBases } from './bases.ts';
import { declaredBuildArgs } from './build-args.ts';
import { type Dockerfile, readDockerfile } from './dockerfile.ts';
import { type ImageDocument, type Recipe, type RecipeImage, seal } from './document.ts';
import type { BuildContext } from './files.ts';
import { byteOrder } from './order.ts';
import { withResolvedBases } from './pinned.ts';
import { type Resolve, resolveAll } from './resolve.ts';
import type { ContextTree } from './tree.ts';

export interface ImageInputs {
  readonly context: BuildContext;
  readonly tree: ContextTree;
  readonly target?: string;
  /** As asked for, `os/architecture[/variant]`; none: the engine's own. */
  readonly platforms: readonly string[];
  /** All that were given; only declared ones count. */
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Labels that are the same in every version. */
  readonly labels: Readonly<Record<string, string>>;
  /** The builder's own platform, where it is known: for variables in a FROM. */
  readonly enginePlatform?: string;
}

/** The final stage's base. */
export interface FinalBase {
  /** Fully qualified, without the digest where there is a tag: `docker.io/library/alpine:3.20`. */
  readonly name: string;
  readonly digest?: Digest;
}

/** An image's recipe, and what a build needs of the reading. */
export interface ImageRecipe extends Recipe {
  readonly document: ImageDocument;
  readonly dockerfile: Dockerfile;
  /** Absent for `scratch`, and where platforms stand on different bases. */
  readonly from?: FinalBase;
  /** Every image with the digest that it resolved to; once each. */
  readonly images: readonly { readonly reference: Reference; readonly digest?: Digest }[];
  /** The Dockerfile for one platform with every image by digest, line by line the same. */
  pinned(platform?: string): Uint8Array;
}

/**
 * Makes the recipe of an image. Fails with `dockerfile-invalid`, `build-arg-secret`, `setting-invalid` (target,
 * platform), and with what `resolve` fails with.
 */
export async function imageRecipe(inputs: ImageInputs, resolve: Resolve): Promise<ImageRecipe> {
  const { context, tree, target } = inputs;
  const dockerfile = readDockerfile(context.dockerfile.bytes, context.dockerfile.path);
  const buildArgs = declaredBuildArgs(dockerfile, inputs.buildArgs);
  const platforms = [...new Set(inputs.platforms.map((text) => formatPlatform(parsePlatform(text))))];
  const read = (platform: string | undefined): Bases => readBases(dockerfile, basesFor(inputs, platform));
  const readings = (platforms.length === 0 ? [inputs.enginePlatform] : platforms).map(read);
  const bases = readings.flatMap(({ images }) => images);
  const digests = await resolveAll(
    bases.map(({ reference }) => reference),
    resolve,
  );
  const image = (reference: Reference): RecipeImage => {
    const digest = digests.get(formatReference(reference));
    return { reference: formatReference(reference), ...(digest && { digest }) };
  };
  const frontend = bases.find(({ use }) => use === 'frontend');
  const document: ImageDocument = {
    schema: 'knowngood/recipe/v1',
    kind: 'image',
    context: tree.id,
    dockerfile: { path: context.dockerfile.path, digest: digestOf(context.dockerfile.bytes) },
    ...(context.ignoreFile && {
      ignoreFile: { path: context.ignoreFile.path, digest: digestOf(context.ignoreFile.bytes) },
    }),
    ...(target !== undefined && { target }),
    platforms: platforms.sort(byteOrder),
    buildArgs,
    bases: once(bases.filter(({ use }) => use !== 'frontend')).map(({ reference }) => image(reference)),
    ...(frontend && { frontend: image(frontend.reference) }),
    labels: inputs.labels,
  };
  const from = finalBase(readings, digests);
  return {
    ...seal(
      document,
      readings.flatMap(({ unknownPlatform }) => unknownPlatform.map((name) => `$${name}`)),
    ),
    document,
    dockerfile,
    ...(from && { from }),
    images: once(bases).map(({ reference }) => {
      const digest = digests.get(formatReference(reference));
      return { reference, ...(digest && { digest }) };
    }),
    pinned: (platform) =>
      withResolvedBases(dockerfile, read(platform ?? inputs.enginePlatform).images, digests),
  };
}

function basesFor(inputs: ImageInputs, platform: string | undefined): Parameters<typeof readBases>[1] {
  return {
    buildArgs: inputs.buildArgs,
    ...(inputs.target !== undefined && { target: inputs.target }),
    ...(platform !== undefined && { platform }),
    ...(inputs.enginePlatform !== undefined && { buildPlatform: inputs.enginePlatform }),
  };
}

/** Each reference once, in byte order. */
function once(bases: readonly Base[]): Base[] {
  const byName = new Map(bases.map((base) => [formatReference(base.reference), base] as const));
  return [...byName].sort(([a], [b]) => byteOrder(a, b)).map(([, base]) => base);
}

function finalBase(readings: readonly Bases[], digests: ReadonlyMap<string, Digest>): FinalBase | undefined {
  const roots = readings.map(({ from }) => from && formatReference(from));
  const from = readings[0]?.from;
  if (from === undefined || roots.some((root) => root !== roots[0])) return undefined;
  const digest = digests.get(formatReference(from));
  const { digest: written, ...tagged } = from;
  const name = formatReference(tagged.tag === undefined && written !== undefined ? from : tagged);
  return { name, ...(digest && { digest }) };
}
