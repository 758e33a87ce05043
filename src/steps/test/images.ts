import type { ImageSection, Subject } from '../../dossier/schema.ts';
import type { TestRun } from '../../harness/outcome-of-run.ts';
import type { Release } from '../../harness/plan.ts';
import { formatReference, parseReference, withDigest, withTag } from '../../oci/reference.ts';
import { tagOfVersion } from '../../oci/tag.ts';
import { Failure } from '../../outcome.ts';
import type { StepInput } from '../step.ts';

/** The candidate's own image: by digest where it was pushed, else by the engine's id of what was built here. */
export function ownImage({ dossier, candidate }: StepInput): Pick<Release, 'image'> {
  if (candidate.subject.kind !== 'image') return {};
  const image = dossier.image as ImageSection;
  const repository = repositoryOf(image.image);
  if (image.digest !== undefined && image.pushed) {
    return {
      image: {
        repository,
        reference: formatReference(withDigest(parseReference(image.image), image.digest)),
      },
    };
  }
  if (image.imageId === undefined) {
    throw new Failure('dossier-incomplete', 'The dossier names no image that could be tested.', {
      remedy: 'Run `build-push` first; without `push` the image has to be built on the engine that tests it.',
    });
  }
  return { image: { repository, reference: image.imageId } };
}

function repositoryOf(image: string): string {
  const { registry, repository } = parseReference(image);
  return `${registry}/${repository}`;
}

/** A base's image by digest: where step-back found it, else under the tag of its version. */
export async function baseImage(
  { dossier, tools }: StepInput,
  version: string,
  ref: string | undefined,
): Promise<NonNullable<Release['image']>> {
  const own = parseReference((dossier.image as ImageSection).image);
  const repository = repositoryOf((dossier.image as ImageSection).image);
  if (ref !== undefined) return { repository, reference: ref };
  const tagged = withTag(own, tagOfVersion(version));
  const found = await (await tools.registry()).resolve(tagged);
  if (found === undefined)
    throw new Failure('image-missing', `${formatReference(tagged)} is not in the registry.`);
  return { repository, reference: formatReference(withDigest(own, found.digest)) };
}

/** The engine's own copy if it has one, else the registry's, asked with this registry's credential only. */
export async function ensureImage({ tools, log }: StepInput, reference: string): Promise<void> {
  const engine = await tools.engine();
  if ((await engine.image(reference)) !== undefined) return;
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(reference)) {
    throw new Failure('image-missing', 'The image that was built is not on the engine that tests.', {
      remedy: 'Build and test on one engine, or push the image.',
    });
  }
  const credential = await tools.registryCredential(parseReference(reference).registry);
  log.detail(`Pulling ${reference}`);
  try {
    await engine.pull(reference, credential, () => undefined);
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code !== 'base-unresolved') throw cause;
    throw new Failure('image-missing', cause.message, { cause });
  }
}

/** What the candidate ran as: the own image's digest, or every service's image by digest. */
export async function ranSubject({ candidate, dossier, tools }: StepInput, run: TestRun): Promise<Subject> {
  const engine = await tools.engine();
  if (candidate.subject.kind === 'image') {
    const { image, digest, platforms } = dossier.image as ImageSection;
    const { platform } = await engine.info();
    return {
      kind: 'image',
      image,
      ...(digest === undefined ? {} : { digest }),
      platforms,
      tested: [platform],
    };
  }
  const images = await Promise.all(
    Object.entries(run.ran).map(async ([service, { imageId, reference }]): Promise<[string, string]> => {
      const found = await engine.image(imageId).catch(() => undefined);
      const name = reference.replace(/@.*$/, '');
      const digests = found?.repoDigests ?? [];
      return [service, digests.find((digest) => sameRepository(digest, name)) ?? digests[0] ?? reference];
    }),
  );
  return { kind: 'compose', images: Object.fromEntries(images.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function sameRepository(a: string, b: string): boolean {
  try {
    return repositoryOf(a) === repositoryOf(b);
  } catch {
    return false;
  }
}
