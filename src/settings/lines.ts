import { Failure } from '../outcome.ts';
import { nearest } from './nearest.ts';
import { lines, type StepName, stepNames } from './schema.ts';

/** The steps that a `step` setting asks for, in order; a line's name stands for its steps. */
export function stepsOf(words: readonly string[], shown: string): readonly StepName[] {
  if (words.length === 0) throw new Failure('step-missing', `\`${shown}\` is not set.`);
  return words.flatMap((word): readonly StepName[] => {
    if (Object.hasOwn(lines, word)) return lines[word as keyof typeof lines];
    const step = stepNames.find((name) => name === word);
    if (step !== undefined) return [step];
    const near = nearest(word, [...stepNames, ...Object.keys(lines)]);
    throw new Failure('step-unknown', `There is no step ${JSON.stringify(word.slice(0, 40))}.`, {
      ...(near === undefined ? {} : { remedy: `Did you mean \`${near}\`? \`--help\` lists all steps.` }),
    });
  });
}
