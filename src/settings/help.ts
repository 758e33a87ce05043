import { choicesText } from './choices-text.ts';
import { nearest } from './nearest.ts';
import { lines, type SettingName, type StepName, settingsTable, stepNames, stepSummaries } from './schema.ts';

declare const KNOWNGOOD_VERSION: string;

export function versionText(): string {
  return `${KNOWNGOOD_VERSION}\n`;
}

/** `--help`, and `<step> --help`. */
export function helpText(word: string | undefined): string {
  if (word === undefined || word === 'help') return overview();
  const step = stepNames.find((name) => name === word);
  if (step !== undefined) return stepHelp(step);
  if (Object.hasOwn(lines, word)) return lineHelp(word as keyof typeof lines);
  const near = nearest(word, [...stepNames, ...Object.keys(lines)]);
  return `There is no step "${word}".${near === undefined ? '' : ` Did you mean "${near}"?`}\n\n${overview()}`;
}

function overview(): string {
  return `knowngood: release and drift checks of container projects

Usage:
  knowngood <step|line> [<step> ...] [--setting value ...]
  knowngood <step> --help

Lines (several steps over one dossier, in one process):
${table(Object.entries(lines).map(([name, steps]) => [name, steps.join(' → ')]))}

Steps:
${table(stepNames.map((name) => [name, stepSummaries[name]]))}

Settings of every step:
${settingRows((spec) => spec.steps === undefined)}

Exit codes: 0 done or skipped, 1 refused, 2 error.
Secrets are better given in the environment than as flags: KNOWNGOOD_REGISTRY_PASSWORD,
KNOWNGOOD_LEDGER_TOKEN and so on.
`;
}

function stepHelp(step: StepName): string {
  const own = settingRows((spec) => spec.steps?.includes(step) === true);
  return `knowngood ${step}: ${stepSummaries[step]}

Usage:
  knowngood ${step} [--setting value ...]

${own === '' ? '' : `Settings of this step:\n${own}\n\n`}Settings of every step:
${settingRows((spec) => spec.steps === undefined)}
`;
}

function lineHelp(name: keyof typeof lines): string {
  return `knowngood ${name}: ${lines[name].join(' → ')}

Runs these steps in order over one dossier; the first that refuses or fails ends the line.
Settings are those of its steps: \`knowngood <step> --help\`.
`;
}

interface Row {
  readonly type: string;
  readonly about: string;
  readonly steps?: readonly StepName[];
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly fallback?: string;
}

function settingRows(wanted: (spec: Row) => boolean): string {
  return table(
    (Object.entries(settingsTable) as [SettingName, Row][])
      .filter(([, spec]) => wanted(spec))
      .map(([name, spec]) => [`--${name}`, about(spec)]),
  );
}

function about(spec: Row): string {
  const choices = choicesText(spec);
  const fallback = spec.default ?? spec.fallback;
  return `${spec.about}${choices}${fallback === undefined || fallback === 'false' ? '' : ` Default: ${fallback}.`}`;
}

/** Two columns; the second wraps at 100 characters. */
function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length), 0) + 4;
  return rows
    .map(([name, text]) => {
      const wrapped: string[] = [];
      let line = '';
      for (const word of text.split(' ')) {
        if (line !== '' && width + line.length + word.length + 1 > 100) {
          wrapped.push(line);
          line = word;
        } else line = line === '' ? word : `${line} ${word}`;
      }
      wrapped.push(line);
      return `  ${name.padEnd(width - 2)}${wrapped.join(`\n${' '.repeat(width)}`)}`;
    })
    .join('\n');
}
