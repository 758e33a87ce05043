import { choicesText } from '../choices-text.ts';
import { JOB_TOKEN } from '../job-token.ts';
import { commonOutputs, stepOutputs } from '../outputs.ts';
import { type SettingName, type StepName, settingsTable } from '../schema.ts';

/**
 * action.yml. Inputs carry no `default:` on purpose: the runner would pass it on as if somebody had written it, and
 * a default could not be told from a wish. The one exception is the job's token, which reaches an action no other way.
 */
export function actionYaml(description: string): string {
  const lines = [
    '# Made by `npm run generate` from src/settings; do not edit.',
    'name: knowngood',
    `description: ${quoted(description)}`,
    'author: the knowngood authors',
    'branding:',
    '  icon: check-circle',
    '  color: green',
    'inputs:',
  ];
  for (const [name, spec] of Object.entries(settingsTable) as [SettingName, Row][]) {
    lines.push(
      `  ${name}:`,
      `    description: ${quoted(inputText(spec))}`,
      `    required: ${name === 'step'}`,
    );
  }
  lines.push(
    `  ${JOB_TOKEN}:`,
    "    description: 'Not to be set: how the job''s token gets here. It is shown to the job''s own forge and to ghcr.io only.'",
    '    required: false',
    `    default: $\{{ github.token }}`,
  );
  lines.push('outputs:');
  for (const [name, about] of Object.entries(allOutputs())) {
    lines.push(`  ${name}:`, `    description: ${quoted(about)}`);
  }
  lines.push(
    'runs:',
    '  using: node24',
    '  main: dist/index.js',
    '  post: dist/index.js',
    '  post-if: always()',
    '',
  );
  return lines.join('\n');
}

export interface Row {
  readonly type: string;
  readonly about: string;
  readonly steps?: readonly StepName[];
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly fallback?: string;
  readonly secret?: boolean;
  readonly example?: string;
}

function inputText(spec: Row): string {
  const steps = spec.steps === undefined ? '' : ` Read by ${spec.steps.join(', ')}.`;
  const choices = choicesText(spec);
  const fallback = spec.default === undefined ? spec.fallback : `\`${spec.default}\``;
  return `${spec.about}${choices}${fallback === undefined ? '' : ` Default: ${fallback}.`}${steps}`;
}

/** Every output of any step, by name; where steps mean different things by one name, each meaning is said. */
export function allOutputs(): Record<string, string> {
  const all = new Map<string, Map<string, string[]>>();
  for (const [step, outputs] of Object.entries(stepOutputs).toReversed()) {
    for (const [name, about] of Object.entries(outputs)) {
      const meanings = all.get(name) ?? new Map<string, string[]>();
      all.set(name, meanings.set(about, [step, ...(meanings.get(about) ?? [])]));
    }
  }
  const texts = [...all].map(([name, meanings]): [string, string] => {
    const [only = '', ...others] = meanings.keys();
    if (others.length === 0) return [name, only];
    return [name, [...meanings].map(([about, steps]) => `Of ${steps.join(', ')}: ${about}`).join(' ')];
  });
  return { ...Object.fromEntries(texts), ...commonOutputs };
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
