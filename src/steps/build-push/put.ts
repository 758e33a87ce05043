import type { Digest } from '../../oci/digest.ts';
import { formatReference, type Reference, withDigest, withTag } from '../../oci/reference.ts';
import { Failure } from '../../outcome.ts';
import type { ImageContents, RawManifest, Registry } from '../../registry/registry.ts';
import { guardTag, type Looked } from '../../rules/overwrite-guard.ts';
import type { StepInput } from '../step.ts';

/** How long a registry may take to show what it took: GHCR lags for seconds. */
const readBackMs = 60_000;
const putTries = 6;
/** How long after its put a released tag is looked at again: another job's put at the same moment shows by then. */
const settleMs = 2_000;

/**
 * Waits until the registry shows the digest, and the tag at it: a push that nobody can read is none. Fails with
 * `readback-timeout`.
 */
export async function readBack(
  input: StepInput,
  image: Reference,
  digest: Digest,
  tag: string,
): Promise<void> {
  const { clock } = input.tools;
  const registry = await input.tools.registry();
  const until = clock.now() + readBackMs;
  const shows = async (reference: Reference) => (await registry.head(reference))?.digest === digest;
  for (let wait = 250; ; wait = Math.min(wait * 2, 8_000)) {
    if ((await shows(withDigest(image, digest))) && (await shows(withTag(image, tag)))) return;
    if (clock.now() + wait > until) {
      throw new Failure(
        'readback-timeout',
        `${image.registry} took ${formatReference(withTag(image, tag))} and does not show ${digest} after ${readBackMs / 1000} s.`,
      );
    }
    await clock.sleep(wait, input.signal);
    if (input.signal.aborted) throw new Failure('cancelled');
  }
}

/** Puts a tag that may move on a manifest that the repository has; nothing where it is there already. */
export async function moveTag(
  input: StepInput,
  image: Reference,
  tag: string,
  manifest: RawManifest,
): Promise<void> {
  const registry = await input.tools.registry();
  const reference = withTag(image, tag);
  if ((await registry.head(reference))?.digest === manifest.digest) return;
  await registry.putManifest(reference, manifest);
  await readBack(input, image, manifest.digest, tag);
}

/**
 * Puts a released tag, which never moves: free → put; the same content → nothing is put, and that digest counts;
 * other content → `dest-tag-conflict`; no answer → `cannot-determine`. Registries have no compare-and-swap, so the
 * tag is looked at again after others had time to act: of two jobs that put at once, one is refused.
 */
export async function putReleasedTag(
  input: StepInput,
  image: Reference,
  tag: string,
  contents: ImageContents,
): Promise<Digest> {
  const registry = await input.tools.registry();
  const reference = withTag(image, tag);
  for (let attempt = 1; ; attempt++) {
    // Before each try, not only the first: between two of them another job may have put its image.
    const there = judge(await lookAt(registry, reference), contents, reference);
    if (there !== undefined) {
      if (attempt === 1) return there;
      break;
    }
    try {
      await registry.putManifest(reference, contents.manifest, { once: true });
      break;
    } catch (cause) {
      if (attempt === putTries || !mayPass(cause)) throw cause;
      const wait = 500 * 2 ** (attempt - 1) * (1 - input.tools.clock.random() / 2);
      const { message } = cause as Failure;
      input.log.info(`${message} Looking again in ${(wait / 1000).toFixed(1)} s.`);
      await input.tools.clock.sleep(wait, input.signal);
      if (input.signal.aborted) throw new Failure('cancelled');
    }
  }
  await input.tools.clock.sleep(settleMs, input.signal);
  const second = judge(await lookAt(registry, reference), contents, reference);
  if (second === undefined) await readBack(input, image, contents.manifest.digest, tag);
  return second ?? contents.manifest.digest;
}

/** Whether a put that failed may work when it is tried again; a refusal, and what nobody knows, may not. */
function mayPass(failure: unknown): boolean {
  if (!(failure instanceof Failure)) return false;
  if (failure.code === 'registry-unreachable') return true;
  const status = (failure.cause as { status?: unknown } | undefined)?.status;
  return failure.code === 'registry-failed' && [408, 429, 500, 502, 503, 504].some((one) => one === status);
}

function judge(looked: Looked, contents: ImageContents, reference: Reference): Digest | undefined {
  const verdict = guardTag(looked, { digest: contents.manifest.digest, platforms: contents.platforms });
  const name = formatReference(reference);
  switch (verdict.verdict) {
    case 'free':
      return undefined;
    case 'same':
      return verdict.digest;
    case 'conflict':
      throw new Failure(
        'dest-tag-conflict',
        `${name} exists with other content: ${verdict.found} is there, and this is ${contents.manifest.digest} (different in ${verdict.platforms.join(', ')}).`,
      );
    case 'cannot-determine':
      throw new Failure(
        'cannot-determine',
        `Whether ${name} exists could not be told: ${verdict.failure.message}`,
        {
          cause: verdict.failure,
        },
      );
  }
}

async function lookAt(registry: Registry, reference: Reference): Promise<Looked> {
  try {
    const contents = await registry.contents(reference);
    if (!contents) return { absent: true };
    return { found: { digest: contents.manifest.digest, platforms: contents.platforms } };
  } catch (cause) {
    if (cause instanceof Failure && cause.code !== 'cancelled') return { failed: cause };
    throw cause;
  }
}
