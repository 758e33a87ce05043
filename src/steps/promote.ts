import type { Candidate, PromotionSection, TestSection } from '../dossier/schema.ts';
import { parseReference, withDigest } from '../oci/reference.ts';
import { Failure, finding } from '../outcome.ts';
import type { PromoteResult } from '../promotion/promote.ts';
import type { PromotedSubject } from '../promotion/snapshot-taker.ts';
import { gateLines, gateRows } from '../report/gate.ts';
import type { GateResult } from '../rules/gate/evaluate.ts';
import type { Evidence } from '../rules/gate/snapshot.ts';
import { repositoryIdentity } from '../rules/repository-identity.ts';
import { type End, gateAnswer, refusal } from './promotion/answer.ts';
import { evidenceOf, promotedSubject } from './promotion/evidence.ts';
import { gatePolicy } from './promotion/gate-policy.ts';
import { lookTools, writableLedger } from './promotion/look-tools.ts';
import { signedTest } from './promotion/signed-test.ts';
import type { CandidateStep, StepInput, StepResult } from './step.ts';
import type { Tools } from './tools.ts';

/**
 * Evaluates the gate and, if it holds, publishes the tested digest and writes the canonical record. Everything that
 * git, registry, ledger and event can answer is asked for again; of the dossier only the test counts.
 */
export const step: CandidateStep = {
  name: 'promote',
  about: 'candidate',
  needs: ({ subject }) => (subject.kind === 'image' ? ['image', 'test'] : ['test']),
  finds: {
    with: ({ policy }) => policy !== undefined,
    hint: 'Or set `policy`, and a test counts that an earlier run signed with `attest`.',
  },
  async run(input) {
    const { tools, candidate, event, log, settings, runContext } = input;
    const promotion = await tools.promotion();
    const policy = gatePolicy(settings);
    const { dirty } = await sameCheckout(input);
    const tested = await testedIn(input, promotion);
    const subject = promotedSubject(candidate, tested?.evidence);
    const looking = await lookTools(input, await writableLedger(input));
    const decided = ({ rows }: GateResult): void => {
      for (const line of gateLines(rows)) log.info(line);
    };
    let result: PromoteResult;
    try {
      result = await promotion.promoteRelease(
        {
          recipe: candidate.recipe,
          repository: repositoryIdentity((await tools.repository()).url),
          run: event.run.id,
          context: runContext,
          policy,
          candidate: { ...candidate, version: versionOf(candidate), dirty },
          subject,
          ...(tested === undefined ? {} : { evidence: tested.evidence }),
          ...(tested?.by === undefined ? {} : { evidenceBy: tested.by }),
          recipeDigest: await recipeDigest(input, subject),
          by: event.actor ?? 'unknown',
          dryRun: settings.dryRun,
          decided,
        },
        looking,
      );
    } catch (cause) {
      if (cause instanceof Failure && cause.code === 'concurrent-promotion') {
        return overtaken(cause, (await looking.ledger.read(candidate.recipe)).intent()?.expires);
      }
      throw cause;
    }
    for (const { tag, version } of result.floating.flatMap(({ kept }) => kept)) {
      log.info(`${tag} stays: ${version} is newer in its line.`);
    }
    const tags = promotion.tagWriter(looking.registry, looking.waiting, looking.write);
    const images = subject.kind === 'image' ? [subject.image] : [];
    const published =
      result.canonical === undefined ? [] : await promotion.publishedTags(result.canonical, images, tags);
    return answer(input, result, published);
  },
};

/** What this run tested; else what an earlier one did, if that is signed; else whatever the dossier has. */
async function testedIn(
  input: StepInput,
  promotion: Awaited<ReturnType<Tools['promotion']>>,
): Promise<{ readonly evidence: Evidence; readonly by?: string } | undefined> {
  const { dossier, event, log } = input;
  const test = dossier.test as TestSection | undefined;
  if (test?.run === event.run.id) return { evidence: evidenceOf(test, promotion) };
  const signed = await signedTest(input);
  if (signed !== undefined) {
    const { run, finishedAt } = signed.evidence;
    log.info(`Tested by the run ${run}, which ended ${finishedAt}; signed by ${signed.by}.`);
    return signed;
  }
  return test === undefined ? undefined : { evidence: evidenceOf(test, promotion) };
}

/** The checkout as it is now, after whatever ran in this job; another one than at the start is nobody's release. */
async function sameCheckout({ tools, candidate }: StepInput): Promise<Pick<Candidate, 'dirty'>> {
  const now = await tools.checkoutNow();
  if (now.checkout !== candidate.checkout || now.tree !== candidate.tree) {
    throw new Failure(
      'candidate-changed',
      `The checkout was ${candidate.checkout} for the earlier steps and is ${now.checkout} now.`,
    );
  }
  return now;
}

/** As the test calls it: an untagged commit has no version, and is called by its beginning. */
function versionOf({ version, commit }: Candidate): string {
  return version ?? commit.slice(0, 12);
}

/**
 * The recipe that the image's labels name, if this checkout gives that very recipe: what the ledger says about a
 * digest is believed later, and labels anybody can write.
 */
async function recipeDigest(
  { tools, settings, candidate, signal }: StepInput,
  subject: PromotedSubject,
): Promise<string | undefined> {
  if (subject.kind !== 'image' || subject.digest === undefined || candidate.dirty.length > 0)
    return undefined;
  const reference = withDigest(parseReference(subject.image), subject.digest);
  const contents = await (await tools.registry()).contents(reference).catch((cause: unknown) => {
    // The gate asks the same again, and says who did not answer.
    if (cause instanceof Failure && cause.code !== 'cancelled') return undefined;
    throw cause;
  });
  const { publishedRecipe } = await tools.statements();
  const published = contents?.platforms.map(({ labels }) => publishedRecipe(labels)) ?? [];
  const [first] = published;
  if (first === undefined || published.some((other) => other?.digest !== first.digest)) return undefined;
  const { compareWithCheckout, folderInside } = await tools.recipes();
  const folder = folderInside(await tools.tree(), settings.context);
  const single = contents?.platforms.length === 1 ? contents.platforms[0]?.platform : undefined;
  const compared = await compareWithCheckout(
    { folder, ...(single === undefined ? {} : { enginePlatform: single }) },
    first,
    signal,
  ).catch((cause: unknown) => {
    if (cause instanceof Failure && cause.code !== 'cancelled') return { agrees: false };
    throw cause;
  });
  return compared.agrees ? first.digest : undefined;
}

/** Another run took over in the middle: that is no answer about this release, and passes. */
function overtaken({ code, message }: Failure, expires: string | undefined): StepResult {
  return {
    outcome: 'skipped',
    reasons: [code],
    findings: [finding(code, 'warning', message)],
    outputs: { promoted: 'false', 'published-tags': '[]', 'eligible-at': expires },
  };
}

function answer({ settings }: StepInput, result: PromoteResult, published: readonly string[]): StepResult {
  const { gate, canonical, moves } = result;
  const promoted = result.answer === 'promoted';
  const ended = endOf(result);
  const shown = gateAnswer({
    ended,
    promoted,
    gate,
    canonical,
    published,
    ...(result.answer === 'planned' ? { planned: moves } : {}),
  });
  if (settings.dryRun) return shown;
  const { 'canonical-digest': digest, 'eligible-at': eligibleAt } = shown.outputs;
  const section: PromotionSection = {
    ...ended,
    promoted,
    gate: gateRows(gate),
    publishedTags: published,
    ...(canonical === undefined ? {} : { canonicalVersion: canonical.version, sequence: canonical.sequence }),
    ...(digest === undefined ? {} : { canonicalDigest: digest }),
    ...(eligibleAt === undefined ? {} : { eligibleAt }),
  };
  return { ...shown, section: { promotion: section } };
}

/** promoted → done; already so → skipped; else the gate's own answer. */
function endOf({ answer: how, gate }: PromoteResult): End {
  if (how === 'promoted') return { outcome: 'done', reasons: ['promoted'] };
  if (how === 'already-canonical') return { outcome: 'skipped', reasons: ['already-canonical'] };
  return how === 'planned' ? { outcome: 'skipped', reasons: ['dry-run'] } : refusal(gate);
}
