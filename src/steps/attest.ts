import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { AttestationSection, ImageSection, TestSection } from '../dossier/schema.ts';
import { writeWhole } from '../dossier/write-whole.ts';
import type { Digest } from '../oci/digest.ts';
import { parseReference, withDigest } from '../oci/reference.ts';
import { Failure, type Finding, finding } from '../outcome.ts';
import type { PlannedStatement } from '../provenance/statements.ts';
import type { PublishedRecipe } from '../provenance/verification.ts';
import type { ReasonCode } from '../reasons.ts';
import { code } from '../report/markdown.ts';
import { evidenceOf } from './promotion/evidence.ts';
import type { Step, StepInput, StepResult } from './step.ts';

/**
 * Writes the statements about what this run made, signs them where there is a key, and attaches them. In context
 * `release`: provenance and recipe of the image that this run built, and the test's result once there is one. In
 * context `change`: the test's result alone. What an earlier `attest` of this run said is not said again.
 */
export const step: Step = {
  name: 'attest',
  about: 'candidate',
  needs: () => ['image'],
  async run(input) {
    const image = input.dossier.image as ImageSection;
    const mode = signingMode(input);
    const about = await aboutWhat(input, image, mode.key !== undefined).catch((failure: unknown) => {
      // A statement says which CI run made an image. Who has none and signs nothing is not kept from the rest.
      const lacking = failure instanceof Failure && failure.code === 'run-facts-missing';
      if (!lacking || mode.key !== undefined) throw failure;
      input.log.info(failure.message);
      return skipped('not-a-ci-run');
    });
    if ('outcome' in about) return about;
    const { statements, digests } = about;

    const files = statements.map((planned) => writeStatement(input.out, planned));
    const signed =
      mode.key === undefined ? undefined : await sign(input, image, digests, statements, mode.key);
    const sections = statements.map(({ statement, name }, i): AttestationSection => {
      const bundle = signed?.bundles[i];
      if (bundle !== undefined) writeWhole(join(input.out, `${name}.sigstore.json`), bundle.bytes);
      return {
        outcome: 'done',
        reasons: [signed === undefined ? 'unsigned' : 'signed'],
        predicateType: statement.predicateType,
        statement: shown(input, files[i]!),
        ...(bundle === undefined || signed === undefined
          ? {}
          : {
              bundle: shown(input, join(input.out, `${name}.sigstore.json`)),
              digest: bundle.attestation,
              keyid: signed.keyid,
            }),
      };
    });
    const made = sections.map(({ predicateType }) => predicateType);
    const earlier = (input.dossier.attestations ?? []).filter((one) => !made.includes(one.predicateType));
    return answer([...earlier, ...sections], sections, digests, mode.findings, signed?.through);
  },
};

interface About {
  readonly statements: readonly PlannedStatement[];
  readonly digests: readonly [Digest, ...Digest[]];
}

async function aboutWhat(input: StepInput, image: ImageSection, signs: boolean): Promise<About | StepResult> {
  const { runContext, dossier } = input;
  // In a release the test may come later; it is attested by another `attest` then.
  const tested = dossier.test?.outcome === 'skipped' ? undefined : (dossier.test as TestSection | undefined);
  if (runContext === 'release') {
    const made = madeHere(input, image);
    if (!made && tested === undefined) return skipped('not-built-here');
    if (image.digest === undefined || !image.pushed) return skipped('not-pushed');
    const published = await publishedImage(input, image, image.digest);
    // Once is enough: a line with `attest` before and after the test has said it before, as well as it can now.
    const said = (dossier.attestations ?? [])
      .filter(({ bundle }) => tested !== undefined && (bundle !== undefined || !signs))
      .map(({ predicateType }) => predicateType);
    const release = made ? await releaseStatements(input, image, published) : [];
    const statements = [
      ...release.filter(({ statement }) => !said.includes(statement.predicateType)),
      ...(tested === undefined ? [] : await testStatements(input, image, published, tested)),
    ];
    return statements.length === 0 ? skipped('no-test-result') : { statements, digests: published.digests };
  }
  if (image.digest === undefined || !image.pushed) return skipped('not-pushed');
  if (dossier.test === undefined) {
    throw new Failure('dossier-incomplete', 'A change is attested by its test result, and there is none.', {
      remedy: 'Run the step `test` first, in the same workspace.',
    });
  }
  if (tested === undefined) return { outcome: 'skipped', reasons: dossier.test.reasons, outputs: {} };
  const published = await publishedImage(input, image, image.digest);
  const statements = await testStatements(input, image, published, tested);
  return statements.length === 0 ? skipped('no-test-result') : { statements, digests: published.digests };
}

/** Whoever only found an image there knows nothing of how it was made (security.md 5 of the design). */
function madeHere({ dossier, event }: StepInput, { source }: ImageSection): boolean {
  return (source === 'built' || source === 'relabelled') && dossier.run.id === event.run.id;
}

async function releaseStatements(
  input: StepInput,
  image: ImageSection,
  published: Published,
): Promise<readonly PlannedStatement[]> {
  const { candidate, tools } = input;
  if (candidate.tag === undefined) throw new Failure('not-tagged');
  if (candidate.checkout !== candidate.commit) throw new Failure('commit-tag-mismatch');
  if (candidate.dirty.length > 0) {
    throw new Failure('tree-dirty', `The tree is not the commit: ${candidate.dirty.slice(0, 5).join(', ')}.`);
  }
  if (published.recipe !== undefined) await assertOwnRecipe(input, published.recipe);
  const plan = await tools.statements();
  return plan.releaseStatements(
    await pipelineRun(input),
    { name: image.image, digests: published.digests, source: await source(input) },
    {
      how: image.source === 'relabelled' ? 'relabelled' : 'built',
      ...(published.version === undefined ? {} : { version: published.version }),
      ...(published.recipe === undefined ? {} : { recipe: published.recipe }),
    },
  );
}

/** One, or none where the test is inconclusive: the type knows passed and failed only. */
async function testStatements(
  input: StepInput,
  image: ImageSection,
  { digests, recipe }: Published,
  test: TestSection,
): Promise<readonly PlannedStatement[]> {
  const { verdict, tiers } = test;
  if (verdict === 'inconclusive') return [];
  const tested = test.subject.kind === 'image' ? test.subject.digest : undefined;
  if (test.run !== input.event.run.id || test.commit !== input.candidate.commit || tested !== digests[0]) {
    throw new Failure('evidence-unbound');
  }
  const plan = await input.tools.statements();
  const { url } = input.event.run;
  return [
    plan.testStatement(
      await pipelineRun(input),
      { name: image.image, digests, source: await source(input) },
      { verdict, tiers, details: evidenceOf(test, await input.tools.promotion()) },
      {
        ...(recipe === undefined ? {} : { recipe: recipe.digest }),
        ...(url === undefined ? {} : { url }),
      },
    ),
  ];
}

interface Published {
  readonly digests: readonly [Digest, ...Digest[]];
  readonly recipe?: PublishedRecipe;
  readonly version?: string;
}

/**
 * What the registry has under that digest: the dossier is a hand-off and proves nothing, so what is signed is read
 * from the image itself, and must name this candidate.
 */
async function publishedImage(
  { tools, candidate }: StepInput,
  image: ImageSection,
  digest: Digest,
): Promise<Published> {
  const registry = await tools.registry();
  const { publishedRecipe } = await tools.statements();
  const contents = await registry.contents(withDigest(parseReference(image.image), digest));
  if (contents === undefined)
    throw new Failure('source-missing', `${image.image}@${digest} is not in the registry.`);
  const recipes = contents.platforms.map(({ labels }) => publishedRecipe(labels));
  for (const { labels, platform } of contents.platforms) {
    const revision = labels['dev.knowngood.revision'];
    if (revision !== candidate.commit) {
      throw new Failure(
        'digest-mismatch',
        `${platform} of ${digest} is labelled as of another commit (${revision ?? 'none'}).`,
      );
    }
  }
  if (recipes.some((recipe) => recipe?.digest !== recipes[0]?.digest)) {
    throw new Failure('labels-disagree', 'The platforms of the image name different recipes.');
  }
  const [only, ...others] = contents.platforms;
  const recipe = recipes[0] && {
    ...recipes[0],
    ...(only !== undefined && others.length === 0 ? { platform: only.platform } : {}),
  };
  const version = contents.platforms[0]?.labels['dev.knowngood.version'];
  const platforms = contents.platforms.map(({ manifest }) => manifest.digest);
  const digests: [Digest, ...Digest[]] = [digest, ...platforms.filter((one) => one !== digest)];
  return {
    digests,
    ...(recipe === undefined ? {} : { recipe }),
    ...(version === undefined ? {} : { version }),
  };
}

/** The image must be what this very checkout gives: its digest came from the dossier, which others could write. */
async function assertOwnRecipe(
  { tools, settings, signal }: StepInput,
  published: PublishedRecipe,
): Promise<void> {
  const { compareWithCheckout, folderInside } = await tools.recipes();
  const { platform } = published;
  const folder = folderInside(await tools.tree(), settings.context);
  const checkout = { folder, ...(platform === undefined ? {} : { enginePlatform: platform }) };
  const answer = await compareWithCheckout(checkout, published, signal);
  if (!answer.agrees) {
    const differing = answer.differing.join(', ');
    throw new Failure('digest-mismatch', `The image was not built from this checkout: ${differing}.`);
  }
}

async function pipelineRun({ tools, host, event, runContext }: StepInput) {
  const { pipelineRun: describe } = await tools.statements();
  return describe(host, event.run.facts ?? {}, runContext, tools.version);
}

async function source({ tools, settings, event, candidate }: StepInput) {
  const { repositoryPage } = await tools.statements();
  const url = settings.repository === undefined ? event.repository.webUrl : (await tools.repository()).url;
  const ref = candidate.tag === undefined ? event.ref : `refs/tags/${candidate.tag}`;
  if (url === undefined || ref === undefined) {
    throw new Failure(
      'run-facts-missing',
      'The statement must name repository and ref, and this job does not say them.',
    );
  }
  return { repository: repositoryPage(url), ref, commit: candidate.commit };
}

/** A key is used where one is given, unless somebody says `none`; its absence is never silent. */
function signingMode({ settings, log }: StepInput): { key?: string; findings: readonly Finding[] } {
  const { signing, signingKey } = settings;
  if (settings.given.has('signing') && signing === 'none') return { findings: [] };
  if (signingKey !== undefined) {
    log.mask(signingKey);
    return settings.dryRun ? { findings: [] } : { key: signingKey, findings: [] };
  }
  return signing === 'key'
    ? {
        findings: [
          finding('unsigned', 'warning', '`signing: key` is set, and there is no signing key in this job.'),
        ],
      }
    : { findings: [] };
}

async function sign(
  { tools, log }: StepInput,
  image: ImageSection,
  digests: readonly [Digest, ...Digest[]],
  statements: readonly PlannedStatement[],
  signingKey: string,
) {
  const { signAndAttach } = await tools.signing();
  const signed = await signAndAttach({
    registry: await tools.registry(),
    image: parseReference(image.image),
    digests,
    statements: statements.map(({ statement }) => statement),
    signingKey,
    clock: tools.clock,
  });
  log.info(`Signed with the key ${signed.keyid}; attached through the ${signed.through}.`);
  return signed;
}

/** The statement, and its predicate alone for signers that take just that (actions/attest). */
function writeStatement(out: string, { name, statement }: PlannedStatement): string {
  mkdirSync(out, { recursive: true });
  const path = join(out, `${name}.statement.json`);
  writeWhole(path, JSON.stringify(statement));
  writeWhole(join(out, `${name}.predicate.json`), JSON.stringify(statement.predicate));
  return path;
}

function answer(
  all: readonly AttestationSection[],
  sections: readonly AttestationSection[],
  digests: readonly Digest[],
  findings: readonly Finding[],
  through: string | undefined,
): StepResult {
  const [first] = sections;
  const reasons: ReasonCode[] = [first?.reasons[0] ?? 'unsigned'];
  const lines = sections.map(({ predicateType, digest, statement }) =>
    digest === undefined
      ? `- ${code(predicateType)}: not signed, in ${code(statement)}`
      : `- ${code(predicateType)}: signed, ${code(digest)} (${through})`,
  );
  return {
    outcome: 'done',
    reasons,
    findings,
    outputs: { statement: first?.statement, bundle: first?.bundle, 'attestation-digest': first?.digest },
    section: { attestations: all },
    summary: [`About ${digests.map(code).join(', ')}:`, '', ...lines].join('\n'),
    facts: [['Attestations', `${sections.length}, ${reasons[0]}`]],
  };
}

function skipped(reason: ReasonCode): StepResult {
  return { outcome: 'skipped', reasons: [reason], outputs: {} };
}

/** Paths are told as seen from the checkout: another step may have it mounted elsewhere. */
function shown({ workspace }: StepInput, path: string): string {
  return relative(workspace, path);
}
