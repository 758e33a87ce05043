import type { Digest } from '../../oci/digest.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Finding } from '../../outcome.ts';
import { checkFloating, type FloatingState } from '../../rules/drift/floating.ts';
import { open } from '../../rules/drift/looked-up.ts';
import { type FloatingCandidate, floatingTargets } from '../../rules/floating-tags.ts';
import { sameImage } from './look.ts';
import { type Checking, imageTags } from './project.ts';

/** Releases that are looked up where no ledger names any. */
const MOST_RELEASES = 30;

/**
 * `latest`, `3` and `3.0` against the promoted releases. Without a ledger the releases of git stand for those, and
 * only tags that exist are compared: whether a project has floating tags is its own affair.
 */
export async function floating(checking: Checking): Promise<Finding[]> {
  const { settings, project, tools, look, log } = checking;
  const { image, ledger, record } = project;
  if (image === undefined) return [];
  if (settings.floatingTags === 'never') {
    log.info('floating: `floating-tags` is `never`, so nothing says where they should be; not checked.');
    return [];
  }
  const known = await look.ask(async (): Promise<readonly FloatingCandidate[]> => {
    if (ledger === undefined || record === undefined) return releasesOfGit(checking, image);
    const { releasesThatCount } = await tools.promotion();
    return releasesThatCount(await ledger.promoted(image), project.recipe, record.version);
  });
  if ('unanswered' in known) return [open(`The releases of ${image}`, known)];
  const registry = await tools.registry();
  const byDigest = new Map(known.known.map(({ digest, version }) => [digest, version]));
  const everPromoted = (await ledger?.promoted(image)) ?? [];
  for (const { digest, version } of everPromoted) if (!byDigest.has(digest)) byDigest.set(digest, version);
  const states = await look.each([...floatingTargets(known.known)], async ([tag, want]) => {
    const reference = { ...parseReference(image), tag };
    const found = await look.ask(async () => {
      const now = await registry.resolve(reference);
      if (now === undefined) return undefined;
      const version = await releaseWith(now.digest);
      return { digest: now.digest, ...(version === undefined ? {} : { version }) };
    });
    /** The release of this digest; the wanted one also where the index was only written again. */
    async function releaseWith(digest: Digest): Promise<string | undefined> {
      const exact = byDigest.get(digest);
      if (exact !== undefined) return exact;
      return (await sameImage(registry, reference, want.digest, digest)) ? want.version : undefined;
    }
    return { image, tag, want, found } satisfies FloatingState;
  });
  const told =
    record !== undefined
      ? states
      : states.filter(({ found }) => !('known' in found) || found.known !== undefined);
  return checkFloating(told);
}

async function releasesOfGit(
  { project, tools, look }: Checking,
  image: string,
): Promise<readonly FloatingCandidate[]> {
  const registry = await tools.registry();
  const found = await look.each(
    project.releases.releases.slice(0, MOST_RELEASES),
    async ({ version: { raw } }) => {
      for (const tag of imageTags(raw)) {
        const now = await registry.resolve({ ...parseReference(image), tag });
        if (now !== undefined) return [{ version: raw, digest: now.digest }];
      }
      return [];
    },
  );
  return found.flat();
}
