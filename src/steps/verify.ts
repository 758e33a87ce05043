import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileInside } from '../dossier/file-inside.ts';
import { readDossier } from '../dossier/store.ts';
import { formatReference, parseReference, type Reference, withDigest } from '../oci/reference.ts';
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
        {
          remedy:
            'Set `policy` to a JSON file of the checkout, or to the JSON; docs/provenance.md shows one.',
        },
      );
    }
    const { verifyImage } = await tools.verifying();
    const unchecked = notCompared(input);
    const verification = await verifyImage({
      registry: await tools.registry(),
      image,
      policy,
      expected: expectedOf(input),
      recompute: async (published) => {
        const answer = await recomputed(input, published);
        if (!('why' in answer)) return answer;
        unchecked.push(`the recipe (${answer.why})`);
        return undefined;
      },
    });
    if (verification.failure !== undefined) throw verification.failure;
    if (unchecked.length > 0) input.log.info(`Not compared: ${unchecked.join('; ')}.`);
    return answer(image, verification, unchecked);
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
      ? [fileInside(workspace, settings.dossier, 'dossier')]
      : readdirSync(out, { withFileTypes: true })
          .filter((entry) => entry.isDirectory() && (settings.recipe ?? entry.name) === entry.name)
          .map((entry) => join(out, entry.name, 'dossier.json'));
  const dossiers = paths.flatMap((path) => readDossier(path) ?? []);
  const image = dossiers.length === 1 ? dossiers[0]?.image : undefined;
  if (image === undefined || !('image' in image) || image.digest === undefined) {
    throw new Failure(
      'setting-missing',
      'Verifying needs `image-ref`: there is no single dossier with a pushed image.',
      { remedy: 'Set `image-ref` to name:tag or name@digest.' },
    );
  }
  return withDigest(parseReference(image.image), image.digest);
}

/** The recipe as this checkout gives it, where it is a clean checkout of the image's own commit; else why not. */
async function recomputed(
  input: FreeStepInput,
  published: PublishedRecipe,
): Promise<Recomputed | { readonly why: string }> {
  const { tools, workspace, settings, signal } = input;
  const candidate = await tools.candidate().catch((error: unknown) => {
    if (error instanceof Failure && error.outcome === 'error' && error.code !== 'cancelled') return error;
    throw error;
  });
  if (candidate instanceof Failure) return { why: `no checkout: ${candidate.message.replace(/\.$/, '')}` };
  if (candidate.checkout !== published.revision) {
    return {
      why: `the checkout is of ${candidate.checkout}, the image of ${published.revision ?? 'no commit'}`,
    };
  }
  const [first, ...others] = candidate.dirty;
  if (first !== undefined) {
    return {
      why: `the checkout has changes: ${first}${others.length === 0 ? '' : ` and ${others.length} more`}`,
    };
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

/** What a caller who sets nothing does not learn: said, so that `verified` is not read as more than it is. */
function notCompared({ settings }: FreeStepInput): string[] {
  return [
    ...(settings.version === undefined ? ['version and tag (set `version`)'] : []),
    ...(settings.candidate === undefined ? ['the commit (set `candidate`)'] : []),
  ];
}

const sentences: Readonly<Record<Verification['answer'], string>> = {
  verified: 'Everything that the policy asks for is signed and agrees.',
  missing: 'Something that is asked for is not there. Every look-up was answered.',
  bad: 'Something is there and is damaged, or contradicts.',
  unreachable: 'A look-up was not answered.',
};
const marks = { error: '⛔', warning: '⚠️', info: 'ℹ️' } as const;

function answer(
  image: Reference,
  { answer: found, digest, statements, strangers, findings }: Verification,
  unchecked: readonly string[],
): StepResult {
  const verified = found === 'verified';
  const errors = findings.filter((item) => item.level === 'error');
  const name = formatReference(digest === undefined ? image : withDigest(image, digest));
  const ignored = `${strangers} by signers that the policy does not know, ignored`;
  const rows = [
    ...statements.map(({ predicateType, signer, builder }) => [
      code(predicateType),
      '✅',
      code(`signed by ${signer} for ${builder}`),
      '',
    ]),
    ...findings.map((one) => [`\`${one.code}\``, marks[one.level], code(one.message), code(one.remedy)]),
    ...(strangers === 0 ? [] : [['others', marks.info, ignored, '']]),
    ...unchecked.map((what) => ['not compared', marks.info, code(what), '']),
  ];
  return {
    outcome: verified ? 'done' : 'refused',
    reasons: verified ? ['verified'] : [...new Set(errors.map((one) => one.code))],
    findings,
    outputs: { verified: String(verified), 'verify-findings': JSON.stringify(findings) },
    summary: [
      `${code(name)}: ${sentences[found]}`,
      '',
      table(['What', '', 'Details', 'What to do'], rows),
    ].join('\n'),
    facts: [
      ['Image', name],
      ...statements.map(({ predicateType, signer, builder }): [string, string] => [
        'Signed',
        `${predicateType} by ${signer} for ${builder}`,
      ]),
      ...(strangers === 0 ? [] : [['Others', ignored] as [string, string]]),
      ['Answer', sentences[found]],
    ],
  };
}
