import type { Candidate, RunContext } from '../../dossier/schema.ts';
import type { CanonicalRecord } from '../../ledger/record.ts';
import { Failure, type Finding, finding } from '../../outcome.ts';
import type { StepBackInput } from '../../rules/step-back.ts';
import type { RecipeFile } from '../../settings/recipe-file.ts';
import type { StepInput } from '../step.ts';

/** Everything that the answer of step-back depends on, but images. */
export interface BaseQuestion {
  readonly asked: StepBackInput;
  /** knowngood.yml at the tip of the release branch. */
  readonly file: RecipeFile;
  /** The canonical record, where there is one. */
  readonly record: CanonicalRecord | undefined;
  readonly findings: readonly Finding[];
}

type Asking = Pick<StepInput, 'settings' | 'tools' | 'log' | 'now'>;

/**
 * Reads tags, ledger and knowngood.yml for a candidate. Settings that somebody gave count instead of the file's.
 * Fails as the ledger and git do: what could not be read is not absent.
 */
export async function baseQuestion(
  asking: Asking,
  candidate: Candidate,
  context: RunContext,
): Promise<BaseQuestion> {
  const { settings, tools, now } = asking;
  const file = await tools.recipeFile();
  const config = file.value;
  const { record, findings } = await canonicalOf(asking, candidate.recipe);
  const { version, tags, pattern } = await tools.upgradeFacts();
  const tiers = settings.given.has('tiers')
    ? settings.tiers
    : (config.test?.tiers?.map(({ name }) => name) ?? settings.tiers);
  const asked: StepBackInput = {
    context,
    target: { version, tag: candidate.tag, commit: candidate.commit, tree: candidate.tree },
    tags,
    pattern,
    canonical: record && {
      version: record.version,
      tag: record.tag,
      commit: record.commit,
      hold: record.hold,
    },
    pin: settings.upgradeBase === undefined ? config['upgrade-base'] : { version: settings.upgradeBase },
    knownBroken: settings.given.has('known-broken')
      ? settings.knownBroken.map((broken) => ({ version: broken }))
      : config['known-broken'],
    upgrade: tiers.includes('upgrade'),
    expectedNa: config['expected-na'].upgrade,
    maxMajorStep: settings.maxMajorStep,
    now: now(),
  };
  return { asked, file, record, findings };
}

/** The canonical of the ledger. A step that only reads goes on without a ledger, and says so. */
async function canonicalOf(
  { tools, log, settings }: Asking,
  recipe: string,
): Promise<{ record: CanonicalRecord | undefined; findings: readonly Finding[] }> {
  const ledger = await tools.ledger();
  if (ledger === undefined) {
    log.info('No ledger is named: the base is chosen as if nothing had been promoted yet.');
    return { record: undefined, findings: [] };
  }
  try {
    return { record: (await ledger.read(recipe)).record(), findings: [] };
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code !== 'ledger-missing') throw cause;
    // Who asks for it to be made knows that it is not there yet.
    if (settings.ledgerInit) return { record: undefined, findings: [] };
    const message = `${cause.message} The base is chosen as if nothing had been promoted yet.`;
    return {
      record: undefined,
      findings: [finding('ledger-missing', 'warning', message, { remedy: cause.remedy })],
    };
  }
}
