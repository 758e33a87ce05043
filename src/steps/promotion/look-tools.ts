import { randomUUID } from 'node:crypto';
import type { Ledger } from '../../ledger/ledger.ts';
import { parseReference, withDigest } from '../../oci/reference.ts';
import { Failure } from '../../outcome.ts';
import type { LookTools, Lookups, OwnImage } from '../../promotion/snapshot-taker.ts';
import { releaseFacts } from '../../rules/gate/release-facts.ts';
import type { RecipeFacts, VerificationFacts } from '../../rules/gate/snapshot.ts';
import { parsePattern } from '../../rules/releases.ts';
import { naTiers } from '../../rules/test-plan.ts';
import type { RecipeConfig } from '../../settings/recipe-file.ts';
import type { FreeStepInput } from '../step.ts';
import type { ProjectNow } from '../tools.ts';

/** What a promotion, a rollback or a hold looks at and writes to, from this run's tools. */
export async function lookTools(input: FreeStepInput, ledger: Ledger): Promise<LookTools> {
  const { tools, log, settings } = input;
  return {
    ledger,
    registry: await tools.registry(),
    lookups: lookupsOf(input),
    floating: settings.floatingTags,
    waiting: tools.clock,
    nonce: () => randomUUID(),
    write: (_name, act) => act(),
    tell: (text) => log.info(text),
  };
}

/** The ledger for a step that writes it, made where `ledger-init` asks for that. */
export async function writableLedger({ tools, settings, log }: FreeStepInput): Promise<Ledger> {
  const ledger = await tools.ledger();
  if (ledger === undefined) {
    throw new Failure('setting-missing', 'Which ledger to write is not known.', {
      remedy: 'Set `ledger` to `git:<remote>#<branch>` or `file:<folder>`.',
    });
  }
  if (settings.ledgerInit && !settings.dryRun && (await ledger.init()))
    log.info(`Made the ledger ${ledger.address}.`);
  return ledger;
}

/**
 * Each look-up reads the remote anew: a run that tests for an hour must not decide by what was there before it.
 * What one snapshot asks for, it asks for at once, so those share one reading.
 */
function lookupsOf({ tools, settings }: FreeStepInput): Lookups {
  let reading: Promise<ProjectNow> | undefined;
  const projectNow = (): Promise<ProjectNow> => {
    if (reading === undefined) {
      reading = tools.projectNow();
      const over = (): void => {
        reading = undefined;
      };
      reading.then(over, over);
    }
    return reading;
  };
  return {
    async config(version) {
      const { file, fleet } = await projectNow();
      const facts = recipeFacts(file.value, settings.config, version);
      return fleet?.enrolled === false ? { ...facts, enrolled: false, enrolledBy: 'fleet.yml' } : facts;
    },
    async releases(candidate, base) {
      const { history, branch, pattern } = await projectNow();
      const tags = await history.tags(branch, [candidate.commit]);
      const tag = tags.find(({ name, commit }) => {
        const version = parsePattern(pattern).versionIn(name);
        return version === candidate.version && commit === candidate.commit;
      });
      return releaseFacts(
        tags,
        parsePattern(pattern),
        branch.name,
        { version: candidate.version, tag: tag?.name },
        base,
      );
    },
    stated: () => tools.statedVersions(),
    verification: (image, candidate) => verified({ tools }, image, candidate, projectNow),
  };
}

/** What the release branch says about this version. */
export function recipeFacts(config: RecipeConfig, name: string, version: string): RecipeFacts {
  const na = naTiers(config['expected-na'], version, undefined);
  return {
    enrolled: config.enrolled,
    enrolledBy: name,
    tiers: (config.test?.tiers ?? [{ name: 'install' }, { name: 'upgrade' }]).map((tier) => tier.name),
    expectedNa: Object.fromEntries(Object.entries(na).map(([tier, { detail }]) => [tier, detail ?? ''])),
  };
}

/** The refs that a statement about a release of this commit may name, as the remote has them now. */
export async function releaseRefs(
  projectNow: () => Promise<ProjectNow>,
  commit: string,
): Promise<{ readonly refs: readonly string[]; readonly pipelineRefs: readonly string[] }> {
  const { history, branch, pattern } = await projectNow();
  const tags = (await history.tags(branch, [])).filter(
    (tag) => tag.commit === commit && parsePattern(pattern).versionIn(tag.name) !== undefined,
  );
  return {
    refs: tags.map(({ name }) => `refs/tags/${name}`),
    pipelineRefs: [`refs/heads/${branch.name}`],
  };
}

async function verified(
  { tools }: Pick<FreeStepInput, 'tools'>,
  { image, digest }: OwnImage,
  { version, commit }: { readonly version: string; readonly commit: string },
  projectNow: () => Promise<ProjectNow>,
): Promise<VerificationFacts> {
  const policy = await tools.reviewedPolicy();
  if (policy === undefined) return { asked: false };
  const { verifyImage } = await tools.verifying();
  const { failure, statements, findings, strangers } = await verifyImage({
    registry: await tools.registry(),
    image: withDigest(parseReference(image), digest),
    policy,
    expected: {
      commit,
      version: version.replace(/^v(?=\d)/, ''),
      ...(await releaseRefs(projectNow, commit)),
    },
  });
  if (failure !== undefined) throw failure;
  const said = (...codes: readonly string[]): string[] =>
    findings
      .filter(({ level, code }) => level === 'error' && codes.includes(code))
      .map(({ message }) => message);
  return {
    asked: true,
    signed: statements.map(({ predicateType }) => predicateType),
    invalid: said('signature-invalid', 'attestation-invalid', 'manifest-invalid'),
    contradictions: said(
      ...['provenance-mismatch', 'labels-inherited', 'labels-disagree', 'recipe-differs', 'recipe-invalid'],
    ),
    strangers,
  };
}
