import { type Reason, reasons } from '../../reasons.ts';

const headings: Readonly<Record<Reason['class'], string>> = {
  good: 'Good: the step did its work',
  skip: 'Skipped: not applicable here, or not yet',
  refusal: 'Refused: the answer is no',
  failure: 'Error: the step could not tell, or was asked for something wrong',
  note: 'Notes: worth knowing, never an outcome of their own',
  drift: 'Drift: two places that should agree and do not',
};

/** docs/reasons.md: every code, once. */
export function reasonsPage(): string {
  const sections = Object.entries(headings).map(([kind, heading]) => {
    const rows = Object.entries<Reason>(reasons)
      .filter(([, reason]) => reason.class === kind)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, { sentence, remedy }]) => `| \`${code}\` | ${cell(sentence)} | ${cell(remedy)} |`);
    return `## ${heading}\n\n| code | meaning | what to do |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `<!-- Made by \`npm run generate\` from src/reasons; do not edit. -->

# Reason codes

Every outcome carries codes in \`reason\` and \`reasons\`. A code's class is its usual meaning; the gate and the
step-back triage use some refusals and notes of each other.

${sections.join('\n')}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
