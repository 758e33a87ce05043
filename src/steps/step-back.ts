import type { UpgradeBase, UpgradeBaseSection } from '../dossier/schema.ts';
import { Failure, type Finding, finding } from '../outcome.ts';
import { reasons } from '../reasons.ts';
import { noteCode, noteFindings, noteText } from '../report/base-notes.ts';
import { type BaseReport, baseLines, baseSummary, byWeight } from '../report/step-back.ts';
import { parsePattern, type Release } from '../rules/releases.ts';
import { type Plain, type StepBackAnswer, type StepBackInput, stepBack } from '../rules/step-back.ts';
import { isAbout } from '../rules/usable.ts';
import { parseVersion } from '../rules/version.ts';
import type { CandidateStep, StepInput, StepResult } from './step.ts';
import { withImages } from './step-back/base-image.ts';
import { type BaseQuestion, baseQuestion } from './step-back/question.ts';

/** Most rejected tags in an output: variables of a job are limited. The dossier has all of them. */
const MOST_REJECTED = 500;

/** Chooses the release that the upgrade test starts from. Reads git, ledger and registry; changes nothing. */
export const step: CandidateStep = {
  name: 'step-back',
  about: 'candidate',
  needs: () => [],
  async run(input) {
    const { candidate, runContext } = input;
    const facts = await baseQuestion(input, candidate, runContext);
    const { answer, ref } = await withImages(input, facts.record, (withoutImage) =>
      placed(facts, input.settings.upgradeBase, () => stepBack({ ...facts.asked, withoutImage })),
    );
    return conclude(input, { facts, answer, ref });
  },
};

const aboutPin: ReadonlySet<Failure['code']> = new Set([
  'pin-not-a-release',
  'pin-newer-than-target',
  'pin-known-broken',
] as const);

/** The answer; what is wrong with a pin of the file is said with its place. */
function placed({ file }: BaseQuestion, setting: string | undefined, ask: () => StepBackAnswer) {
  try {
    return ask();
  } catch (cause) {
    if (!(cause instanceof Failure) || setting !== undefined || !aboutPin.has(cause.code)) throw cause;
    const { line, column } = file.at(['upgrade-base']);
    const message = `${file.name}:${line}:${column}: ${cause.message}`;
    throw new Failure(cause.code, message, { remedy: cause.remedy, cause });
  }
}

interface Found {
  readonly facts: BaseQuestion;
  readonly answer: StepBackAnswer;
  readonly ref: string | undefined;
}

async function conclude(input: StepInput, { facts, answer, ref }: Found): Promise<StepResult> {
  const { candidate, settings, log } = input;
  const { decision, reason } = answer;
  const outcome = decision === 'skip' ? 'skipped' : 'done';
  const base = answer.base && { ...baseOf(answer.base), ...(ref === undefined ? {} : { ref }) };
  const withoutPin = answer.withoutPin && plainOf(answer.withoutPin);
  const section: UpgradeBaseSection = {
    outcome,
    reasons: [reason],
    decision,
    ...(base === undefined ? {} : { base }),
    notes: answer.notes.map((note) => ({ code: note.code, text: noteText(note) })),
    considered: answer.considered.map(baseOf),
    rejected: answer.rejected,
    ...(withoutPin === undefined ? {} : { withoutPin }),
  };
  const notes = noteFindings(answer.notes, {
    file: facts.file,
    pinSetting: settings.upgradeBase === undefined ? undefined : 'upgrade-base',
    knownBrokenSetting: settings.given.has('known-broken') ? 'known-broken' : undefined,
  });
  const report: BaseReport = {
    section,
    candidate: candidate.version ?? candidate.commit.slice(0, 12),
    details: detailsOf(answer, facts.asked),
    declared: reason === 'expected-na' ? facts.asked.expectedNa?.reason : undefined,
    findings: notes,
  };
  for (const line of baseLines(report)) log.info(line);
  return {
    outcome,
    reasons: [reason],
    outputs: {
      decision,
      'upgrade-base-version': base?.version,
      'upgrade-base-tag': base?.tag,
      'upgrade-base-commit': base?.commit,
      'upgrade-base-ref': base?.ref,
      notes: JSON.stringify(answer.notes.map(noteCode)),
      rejected: JSON.stringify(byWeight(answer.rejected).slice(0, MOST_REJECTED)),
      'without-pin': withoutPin && JSON.stringify(withoutPin),
    },
    section: { upgradeBase: section },
    findings: [...facts.findings, ...attention(answer), ...notes, ...(await afterMerge(input))],
    summary: baseSummary(report),
    facts: [
      ['Decision', decision],
      ['Upgrade base', base?.tag ?? 'none'],
      ['Reason', reason],
    ],
  };
}

const needsAttention: ReadonlySet<StepBackAnswer['reason']> = new Set([
  'canonical-tag-moved',
  'canonical-ahead',
  'target-unparseable',
  'no-older-release',
  'all-older-known-broken',
  'no-usable-older',
] as const);

/** What somebody should look at: an answer without a base, a release that lost its image. */
function attention({ reason, base, rejected }: StepBackAnswer): Finding[] {
  const answer =
    base === undefined && needsAttention.has(reason)
      ? [finding(reason, 'warning', `There is no upgrade test. ${reasons[reason].sentence}`)]
      : [];
  const gone = rejected.filter((one) => one.reason === 'base-image-missing').map(({ tag }) => tag);
  if (gone.length === 0) return answer;
  const names = gone.slice(0, 5).join(', ') + (gone.length > 5 ? ` and ${gone.length - 5} more` : '');
  const message = `Passed over as upgrade base, because the registry has no image of it: ${names}.`;
  return [...answer, finding('base-image-missing', 'warning', message)];
}

/** A pull request that changes the rules is told that it is judged by those of the release branch. */
async function afterMerge({ tools, settings, runContext }: StepInput): Promise<Finding[]> {
  if (runContext === 'release' || !(await tools.changedByCandidate(settings.config))) return [];
  return [
    finding(
      'counts-after-merge',
      'info',
      `${settings.config} differs from the release branch's: its pins, known-broken entries and tiers count after the merge.`,
    ),
  ];
}

/** What the known-broken entries say of the tags that they reject. */
function detailsOf(answer: StepBackAnswer, { knownBroken, pattern }: StepBackInput): Map<string, string> {
  const { versionIn } = parsePattern(pattern);
  const details = new Map<string, string>();
  for (const { tag, reason } of answer.rejected) {
    if (reason !== 'tag-known-broken') continue;
    const version = parseVersion(versionIn(tag) ?? tag);
    const entry = knownBroken.find((one) =>
      version === undefined ? one.version === tag : isAbout(one.version, { version, spellings: [tag] }),
    );
    if (entry?.reason !== undefined) details.set(tag, entry.reason);
  }
  return details;
}

function baseOf({ version, tag, commit }: Release): UpgradeBase {
  return { version: version.raw, tag, commit };
}

function plainOf({ decision, reason, base }: Plain): NonNullable<UpgradeBaseSection['withoutPin']> {
  return { decision, reason, ...(base === undefined ? {} : { base: baseOf(base) }) };
}
