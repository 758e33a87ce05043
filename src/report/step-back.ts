import type { UpgradeBase, UpgradeBaseSection } from '../dossier/schema.ts';
import type { Finding } from '../outcome.ts';
import { type ReasonCode, reasons } from '../reasons.ts';
import { block, code, table } from './markdown.ts';

/** What people are told about the choice of an upgrade base. */
export interface BaseReport {
  readonly section: UpgradeBaseSection;
  /** Version of the candidate, or its abbreviated commit. */
  readonly candidate: string;
  /** What else is known of a rejected tag: the reason of its known-broken entry. */
  readonly details: ReadonlyMap<string, string>;
  /** The declaration behind `expected-na`. */
  readonly declared?: string | undefined;
  /** Notes whose findings have lines to delete. */
  readonly findings: readonly Finding[];
}

type Rejected = UpgradeBaseSection['rejected'][number];

/** What a person asks about first comes first: what was nearly the base, then what never could be. */
const weight: readonly string[] = [
  'base-image-missing',
  'tag-known-broken',
  'tag-ambiguous',
  'tag-is-target',
  'tag-prerelease',
  'tag-not-older',
  'tag-unreachable',
  'tag-unparseable',
];
/** Rows of one kind that are shown; a repository may have ten thousand tags. */
const SHOWN = 5;

/** The rejected tags, those that people ask about first; the order within one reason stays. */
export function byWeight(rejected: readonly Rejected[]): Rejected[] {
  return [...rejected].sort((a, b) => weight.indexOf(a.reason) - weight.indexOf(b.reason));
}

/** One line: what the upgrade test starts from and why, or why there is none. */
export function baseLine({ section, candidate, declared }: BaseReport): string {
  const { base, decision } = section;
  const reason = section.reasons[0];
  const why = reason === undefined ? '' : sentence(reason);
  if (base !== undefined) return `${candidate} is upgraded from ${base.tag} (${reason}). ${why}`;
  const what = decision === 'skip' ? 'Nothing to test' : 'No upgrade base';
  return `${what} for ${candidate} (${reason}). ${declared ?? why}`;
}

/** The log: the line, its image, what it would be without the pin, and what else was looked at. */
export function baseLines(report: BaseReport): string[] {
  const { section, details } = report;
  const { base, withoutPin, considered } = section;
  const lines = [baseLine(report)];
  if (base !== undefined) lines.push(`  commit ${base.commit}`);
  if (base?.ref !== undefined) lines.push(`  image  ${base.ref}`);
  if (withoutPin !== undefined) lines.push(`  without the pin: ${plainText(withoutPin)}`);
  const others = considered.filter(({ tag }) => tag !== base?.tag);
  if (others.length > 0) {
    const more = others.length > SHOWN ? ` and ${others.length - SHOWN} more` : '';
    const names = others.slice(0, SHOWN).map(({ tag }) => tag);
    lines.push(`  could also be: ${names.join(', ')}${more}`);
  }
  const rows = rejectedRows(section);
  if (rows.length > 0) lines.push('  rejected:');
  const width = Math.max(0, ...rows.map(({ tag }) => Math.min(tag.length, 40)));
  for (const { tag, reason, more } of rows) {
    const detail = more > 0 ? '' : (details.get(tag) ?? '');
    lines.push(`    ${tag.padEnd(width)}  ${reason}${detail === '' ? '' : `  ${detail}`}`);
  }
  return lines;
}

/** The summary's Markdown: the line, then one table of what was considered and rejected, then what to delete. */
export function baseSummary(report: BaseReport): string {
  const { section, details, candidate, declared } = report;
  const { base, withoutPin, considered, notes } = section;
  const reason = section.reasons[0];
  const why = reason === undefined ? '' : sentence(reason);
  const lines = [
    base === undefined
      ? `${section.decision === 'skip' ? 'Nothing to test' : 'No upgrade base'} for ${code(candidate)}: ${declared === undefined ? why : code(declared)}`
      : `${code(candidate)} is upgraded from **${code(base.tag)}** (\`${reason}\`): ${why}`,
  ];
  const { remedy } = reason === undefined ? { remedy: '' } : reasons[reason];
  if (base === undefined && remedy !== 'Nothing to do.') lines.push('', `**What to do:** ${remedy}`);
  if (withoutPin !== undefined) lines.push('', `Without the pin: ${code(plainText(withoutPin))}.`);
  for (const { text } of notes) lines.push('', `- ${code(text)}`);

  const rows: string[][] = [];
  if (base !== undefined) rows.push([code(base.tag), '✅ base', code(base.ref ?? base.commit)]);
  const others = considered.filter(({ tag }) => tag !== base?.tag);
  for (const { tag, commit } of others.slice(0, SHOWN)) rows.push([code(tag), 'usable', code(commit)]);
  if (others.length > SHOWN) rows.push([`and ${others.length - SHOWN} more`, 'usable', '']);
  for (const { tag, reason: rejectedFor, more } of rejectedRows(section)) {
    if (more > 0) rows.push([tag, `\`${rejectedFor}\``, '']);
    else {
      const detail = details.get(tag);
      rows.push([
        code(tag),
        `\`${rejectedFor}\``,
        detail === undefined ? sentence(rejectedFor) : code(detail),
      ]);
    }
  }
  if (rows.length > 0) lines.push('', table(['tag', 'as upgrade base', 'why'], rows));
  for (const { at, found, remedy: what } of report.findings) {
    if (at === undefined || found === undefined) continue;
    lines.push('', code(what.replace(/: .*$/s, ':')), '', block(found));
  }
  return lines.join('\n');
}

/** Skips that the list of tags explains; for others it would only be in the way. */
const aboutTags: ReadonlySet<string> = new Set(['never-released', 'not-tagged', 'canonical-tag-moved']);

/** The first few of every reason, and a row for the rest of it. */
function rejectedRows({
  decision,
  reasons: [answer],
  rejected,
}: UpgradeBaseSection): { tag: string; reason: Rejected['reason']; more: number }[] {
  const rows: { tag: string; reason: Rejected['reason']; more: number }[] = [];
  if (decision === 'skip' && !aboutTags.has(answer ?? '')) return rows;
  for (const reason of new Set(byWeight(rejected).map((one) => one.reason))) {
    const tags = rejected.filter((one) => one.reason === reason).map(({ tag }) => tag);
    rows.push(...tags.slice(0, SHOWN).map((tag) => ({ tag, reason, more: 0 })));
    if (tags.length > SHOWN) {
      const more = tags.length - SHOWN;
      rows.push({ tag: `and ${more} more`, reason, more });
    }
  }
  return rows;
}

function plainText({ base, decision, reason }: { base?: UpgradeBase; decision: string; reason: string }) {
  return base === undefined ? `${decision} (${reason})` : `${base.tag} (${reason})`;
}

function sentence(reason: string): string {
  return Object.hasOwn(reasons, reason) ? reasons[reason as ReasonCode].sentence : '';
}
