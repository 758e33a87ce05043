import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readDossier } from '../dossier/store.ts';
import { parseReference, type Reference, withDigest } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import type { Expected, PublishedRecipe, Recomputed, Verification } from '../provenance/verification.ts';
import { code, table } from '../report/markdown.ts';
import type { FreeStepInput, Step, StepResult } from './step.ts';

/**
 * Verifies one image, any image, against a policy. What is not there or contradicts is `refused`; what could not be
 * looked up is `error`.
 */
export const step: Step = {
  name: 'verify',
  about: 'project',
  async run(input) {
    const { tools } = input;
    const image = imageOf(input);
    const policy = await tools.policy();
    if (policy === undefined) {
      throw new Failure(
        'setting-missing',
        'Verifying needs a `policy`: whom to believe, and what they must say.',
      );
    }
    const { verifyImage } = await tools.verifying();
    const verification = await verifyImage({
      registry: await tools.registry(),
      image,
      policy,
      expected: expectedOf(input),
      recompute: (published) => recomputed(input, published),
    });
    if (verification.failure !== undefined) throw verification.failure;
    return answer(verification);
  },
};

function imageOf(input: FreeStepInput): Reference {
  const { imageRef } = input.settings;
  if (imageRef === undefined) return imageOfDossier(input);
  const image = parseReference(imageRef);
  if (image.tag === undefined && image.digest === undefined) {
    throw new Failure('setting-invalid', `\`image-ref\` (${imageRef}) names neither a tag nor a digest.`);
  }
  return image;
}

/** The image of the one dossier that there is. With several recipes in one workspace somebody must say which. */
function imageOfDossier({ settings, workspace, out }: FreeStepInput): Reference {
  const paths =
    settings.dossier !== undefined
      ? [resolve(workspace, settings.dossier)]
      : readdirSync(out, { withFileTypes: true })
          .filter((entry) => entry.isDirectory() && (settings.recipe ?? entry.name) === entry.name)
          .map((entry) => join(out, entry.name, 'dossier.json'));
  const dossiers = paths.flatMap((path) => readDossier(path) ?? []);
  const image = dossiers.length === 1 ? dossiers[0]?.image : undefined;
  if (image === undefined || !('image' in image) || image.digest === undefined) {
    throw new Failure(
      'setting-missing',
      'Verifying needs `image-ref`: there is no single dossier with a pushed image.',
    );
  }
  return withDigest(parseReference(image.image), image.digest);
}

/** The recipe as this checkout gives it, where it is a clean checkout of the image's own commit. */
async function recomputed(input: FreeStepInput, published: PublishedRecipe): Promise<Recomputed | undefined> {
  const { tools, workspace, settings, log, signal } = input;
  const candidate = await tools.candidate().catch((error: unknown) => {
    if (error instanceof Failure && error.outcome === 'error') return undefined;
    throw error;
  });
  if (candidate?.checkout !== published.revision || (candidate?.dirty.length ?? 0) > 0) {
    log.info('The recipe is not recomputed: this is no clean checkout of the commit that the image names.');
    return undefined;
  }
  const { compareWithCheckout, folderInside } = await tools.recipes();
  const { platform } = published;
  const folder = folderInside(workspace, settings.context);
  const checkout = { folder, ...(platform === undefined ? {} : { enginePlatform: platform }) };
  return compareWithCheckout(checkout, published, signal);
}

/** What the caller says besides the policy: version (and so the tag), commit, and where pipelines may come from. */
function expectedOf({ settings }: FreeStepInput): Expected {
  const { version, candidate, releaseBranch } = settings;
  const plain = version?.replace(/^v(?=\d)/, '');
  return {
    ...(plain === undefined ? {} : { version: plain, refs: [`refs/tags/${plain}`, `refs/tags/v${plain}`] }),
    ...(candidate === undefined ? {} : { commit: candidate }),
    ...(releaseBranch === undefined ? {} : { pipelineRefs: [`refs/heads/${releaseBranch}`] }),
  };
}

function answer({ answer: found, digest, statements, strangers, findings }: Verification): StepResult {
  const verified = found === 'verified';
  const errors = findings.filter((item) => item.level === 'error');
  const rows = [
    ...statements.map((one) => [code(one.predicateType), '✅', code(`${one.signer}, ${one.builder}`)]),
    ...findings.map((one) => [`\`${one.code}\``, one.level === 'error' ? '⛔' : 'ℹ️', code(one.message)]),
    ...(strangers === 0 ? [] : [['strangers', 'ℹ️', `${strangers} attestations by others, ignored`]]),
  ];
  return {
    outcome: verified ? 'done' : 'refused',
    reasons: verified ? ['verified'] : [...new Set(errors.map((one) => one.code))],
    findings,
    outputs: { verified: String(verified), 'verify-findings': JSON.stringify(findings) },
    summary: [
      digest === undefined ? 'No image.' : `Image ${code(digest)}: **${found}**.`,
      '',
      table(['What', '', 'Details'], rows),
    ].join('\n'),
    facts: [
      ['Image', digest ?? 'none'],
      ['Verified', found],
    ],
  };
}
