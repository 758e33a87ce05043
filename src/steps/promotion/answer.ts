import type { CanonicalRecord } from '../../ledger/record.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Finding, finding } from '../../outcome.ts';
import type { TagMove } from '../../promotion/plan.ts';
import { type ReasonCode, reasons } from '../../reasons.ts';
import { gateRows, gateTable } from '../../report/gate.ts';
import { code } from '../../report/markdown.ts';
import type { GateResult } from '../../rules/gate/evaluate.ts';
import type { StepResult } from '../step.ts';

export type End = Pick<StepResult, 'outcome' | 'reasons'>;

/** Nothing but waiting left → skipped; no → refused; not answered → error. */
export function refusal(gate: GateResult): End {
  const outcomes = { pass: 'skipped', temporary: 'skipped', unknown: 'error', permanent: 'refused' } as const;
  return { outcome: outcomes[gate.verdict], reasons: gate.failing };
}

export interface GateAnswer {
  readonly ended: End;
  readonly promoted: boolean;
  readonly gate: GateResult;
  /** As the ledger has it afterwards. */
  readonly canonical: CanonicalRecord | undefined;
  /** Tags that show the canonical's digest. */
  readonly published: readonly string[];
  /** With `dry-run`: what would move. */
  readonly planned?: readonly TagMove[];
}

type Outputs = StepResult['outputs'] & {
  readonly 'canonical-digest'?: Digest;
  readonly 'eligible-at'?: string;
};

/** What promote and rollback answer alike: outputs, the gate's table, and a finding for everything that failed. */
export function gateAnswer(facts: GateAnswer): StepResult & { readonly outputs: Outputs } {
  const { ended, promoted, gate, canonical, published, planned } = facts;
  const digest = canonical?.subject.kind === 'image' ? canonical.subject.digest : undefined;
  const eligibleAt =
    gate.verdict === 'temporary' && ended.outcome === 'skipped' && gate.eligibleAt !== undefined
      ? new Date(gate.eligibleAt).toISOString()
      : undefined;
  return {
    ...ended,
    findings: ended.outcome === 'refused' || ended.outcome === 'error' ? failures(gate) : [],
    outputs: {
      promoted: String(promoted),
      gate: JSON.stringify(gateRows(gate)),
      'canonical-version': canonical?.version,
      sequence: canonical === undefined ? undefined : String(canonical.sequence),
      'published-tags': JSON.stringify(published),
      ...(digest === undefined ? {} : { 'canonical-digest': digest }),
      ...(eligibleAt === undefined ? {} : { 'eligible-at': eligibleAt }),
    },
    summary: [
      canonicalLine(canonical, digest),
      ...(published.length === 0 ? [] : [`Its tags: ${published.map(code).join(', ')}.`]),
      ...(eligibleAt === undefined ? [] : [`This release may be promoted from ${code(eligibleAt)} on.`]),
      ...(planned === undefined
        ? []
        : ['The gate holds. Would move:', ...planned.map((move) => `- ${code(moveLine(move))}`)]),
      '',
      ...(ended.reasons[0] === 'already-canonical' ? [] : [gateTable(gate.rows)]),
    ].join('\n'),
    facts: [
      ['Answer', reasons[ended.reasons[0] ?? 'internal-error'].sentence],
      ...(eligibleAt === undefined ? [] : ([['From', eligibleAt]] as const)),
      ...(canonical === undefined ? [] : ([['Canonical', canonical.version]] as const)),
      ...(published.length === 0 ? [] : ([['Tags', published.join(', ')]] as const)),
    ],
  };
}

function canonicalLine(canonical: CanonicalRecord | undefined, digest: Digest | undefined): string {
  if (canonical === undefined) return 'Nothing is canonical yet.';
  const { version, sequence, kind } = canonical;
  const how = { promote: 'promoted', rollback: 'rolled back to', hold: 'with a changed hold' }[kind];
  return `Canonical is ${code(version)}${digest === undefined ? '' : ` (${code(digest)})`}, record ${sequence}, ${how}.`;
}

/** `registry/app:1.0 → sha256:…`, and where it came from. */
export function moveLine({ image, tag, from, to }: TagMove): string {
  return `${image}:${tag} → ${to}${from === null ? '' : from === to ? ' (is there)' : ` (from ${from})`}`;
}

function failures(gate: GateResult): Finding[] {
  const failing: readonly ReasonCode[] = gate.failing;
  return gate.rows
    .filter((row) => failing.includes(row.code))
    .map(({ code: name, verdict, found, remedy }) =>
      finding(name, verdict === 'temporary' ? 'warning' : 'error', sentence(name, found), { remedy }),
    );
}

/** `A newer stable release exists: 2.0.0 is the highest stable release.` */
function sentence(name: ReasonCode, found: string): string {
  const said = reasons[name].sentence.replace(/\.$/, '');
  return found === '' ? `${said}.` : `${said}: ${found}.`;
}
