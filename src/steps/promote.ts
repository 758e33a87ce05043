import type { Candidate, PromotionSection, TestSection } from '../dossier/schema.ts';
import { parseReference, withDigest } from '../oci/reference.ts';
import { Failure, finding } from '../outcome.ts';
import type { PromoteResult } from '../promotion/promote.ts';
import type { PromotedSubject } from '../promotion/snapshot-taker.ts';
import type { ReasonCode } from '../reasons.ts';
import { gateJson, gateLines, gateTable } from '../report/gate.ts';
import { code } from '../report/markdown.ts';
import type { GateResult } from '../rules/gate/evaluate.ts';
import { repositoryIdentity } from '../rules/repository-identity.ts';
import { evidenceOf, promotedSubject } from './promotion/evidence.ts';
import { gatePolicy } from './promotion/gate-policy.ts';
import { lookTools, writableLedger } from './promotion/look-tools.ts';
import type { CandidateStep, StepInput, StepResult } from './step.ts';

/**
 * Evaluates the gate and, if it holds, publishes the tested digest and writes the canonical record. Everything that
 * git, registry, ledger and event can answer is asked for again; of the dossier only the test counts.
 */
export const step: CandidateStep = {
  name: 'promote',
  about: 'candidate',
  needs: ({ subject }) => (subject.kind === 'image' ? ['image', 'test'] : ['test']),
  async run(input) {
    const { tools, candidate, event, log, settings, runContext } = input;
    const test = input.dossier.test as TestSection;
    const promotion = await tools.promotion();
    const policy = gatePolicy(settings);
    const subject = promotedSubject(candidate, test);
    const evidence = evidenceOf(test, promotion);
    const looking = await lookTools(input, await writableLedger(input));
    const result = await promotion.promoteRelease(
      {
        recipe: candidate.recipe,
        repository: repositoryIdentity((await tools.repository()).url),
        run: event.run.id,
        context: runContext,
        policy,
        candidate: { ...candidate, version: versionOf(candidate) },
        subject,
        evidence,
        recipeDigest: await recipeDigest(input, subject),
        by: event.actor ?? 'unknown',
        dryRun: settings.dryRun,
      },
      looking,
    );
    for (const line of gateLines(result.gate.rows)) log.info(line);
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

const wouldPromote = 'The gate holds: it would be promoted.';

function answer({ settings }: StepInput, result: PromoteResult, published: readonly string[]): StepResult {
  const { gate, canonical } = result;
  const ended = endOf(result);
  const eligibleAt =
    ended.outcome === 'skipped' && gate.verdict === 'temporary' && gate.eligibleAt !== undefined
      ? new Date(gate.eligibleAt).toISOString()
      : undefined;
  const digest = canonical?.subject.kind === 'image' ? canonical.subject.digest : undefined;
  const promoted = result.answer === 'promoted';
  const rows = gate.rows.map(({ code: name, verdict, found, remedy }) => ({
    code: name,
    verdict,
    found,
    remedy,
  }));
  const section: PromotionSection = {
    ...ended,
    promoted,
    gate: rows,
    publishedTags: published,
    ...(canonical === undefined ? {} : { canonicalVersion: canonical.version, sequence: canonical.sequence }),
    ...(digest === undefined ? {} : { canonicalDigest: digest }),
    ...(eligibleAt === undefined ? {} : { eligibleAt }),
  };
  const moves = result.moves.map(({ image, tag, to }) => `${image}:${tag} → ${to}`);
  return {
    ...ended,
    ...(settings.dryRun ? {} : { section: { promotion: section } }),
    findings: findingsOf(ended, gate),
    outputs: {
      promoted: String(promoted),
      gate: gateJson(gate.rows),
      'canonical-version': canonical?.version,
      'canonical-digest': digest,
      sequence: canonical === undefined ? undefined : String(canonical.sequence),
      'eligible-at': eligibleAt,
      'published-tags': JSON.stringify(published),
    },
    summary: [
      canonical === undefined
        ? 'Nothing is canonical yet.'
        : `Canonical is ${code(canonical.version)}${digest === undefined ? '' : `, ${code(digest)}`}, number ${canonical.sequence}.`,
      ...(published.length === 0 ? [] : [`On it: ${published.map(code).join(', ')}.`]),
      ...(eligibleAt === undefined ? [] : [`It may be promoted from ${code(eligibleAt)} on.`]),
      ...(result.answer === 'planned' ? [wouldPromote, ...moves.map((move) => `- ${code(move)}`)] : []),
      '',
      gateTable(gate.rows),
    ].join('\n'),
    facts: [
      ['Promoted', promoted ? 'yes' : (ended.reasons[0] ?? 'no')],
      ...(canonical === undefined ? [] : ([['Canonical', canonical.version]] as const)),
      ...(published.length === 0 ? [] : ([['Tags', published.join(', ')]] as const)),
    ],
  };
}

type End = Pick<StepResult, 'outcome' | 'reasons'>;

/** promoted → done; already so, or nothing but waiting left → skipped; no → refused; not answered → error. */
function endOf({ answer: how, gate }: PromoteResult): End {
  if (how === 'promoted') return { outcome: 'done', reasons: ['promoted'] };
  if (how === 'already-canonical') return { outcome: 'skipped', reasons: ['already-canonical'] };
  if (how === 'planned') return { outcome: 'skipped', reasons: ['dry-run'] };
  const outcomes = { pass: 'skipped', temporary: 'skipped', unknown: 'error', permanent: 'refused' } as const;
  return { outcome: outcomes[gate.verdict], reasons: gate.failing };
}

function findingsOf({ outcome }: End, gate: GateResult) {
  if (outcome !== 'refused' && outcome !== 'error') return [];
  const failing: readonly ReasonCode[] = gate.failing;
  return gate.rows
    .filter((row) => failing.includes(row.code))
    .map(({ code: name, verdict, found, asks, remedy }) =>
      finding(name, verdict === 'temporary' ? 'warning' : 'error', `Not so: ${asks}. ${found}`, { remedy }),
    );
}
