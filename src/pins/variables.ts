import type { Reference } from '../oci/reference.ts';
import { readEnvFile } from '../recipe/env-file.ts';
import { expand } from '../recipe/expand.ts';
import { type Place, referenceIn, type Source } from './pin.ts';

/** A variable of an env file, where its value stands, and how the value is written. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly at: Place;
}

/** The variables of an env file, in order; the last of two with one name counts. */
export function readVariables(file: string, text: string): readonly Variable[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    // One line after the other, through the reader that recipes use, so that both see the same values.
    const [entry] = Object.entries(readEnvFile(line));
    if (entry === undefined) return [];
    const [name, value] = entry;
    const from = line.indexOf('=') + 1;
    const column = value === '' ? from : Math.max(from, line.indexOf(value, from));
    return [{ name, value, at: { file, line: index + 1, column: column + 1 } }];
  });
}

/** What stands in a compose file with `${NAME:-default}` in it, once the variables are filled in. */
export type Filled = { readonly reference: Reference } | { readonly why: string };

/** Fills in the variables of a compose file's reference from an env file, and nothing else. */
export function filled(text: string, variables: readonly Variable[]): Filled {
  const values = new Map(variables.map(({ name, value }) => [name, value]));
  const expanded = expand(text, (name) => values.get(name), '');
  if ('missing' in expanded) return { why: `\`${expanded.missing}\` has no value here` };
  if ('wrong' in expanded) return { why: 'its variables cannot be filled in' };
  const reference = referenceIn(expanded.text);
  return 'why' in reference ? reference : { reference };
}

/** The text itself, and every variable that could decide instead of it. */
export function sourcesOf(text: string, at: Place, variables: readonly Variable[]): Source[] {
  const evaluate = (changed: string, others: readonly Variable[]) => {
    const made = filled(changed, others);
    return 'reference' in made ? made.reference : undefined;
  };
  const own: Source = { at, written: text, evaluate: (changed) => evaluate(changed, variables) };
  if (!text.includes('$')) return [own];
  const used = variables.filter(({ name }) => text.includes(name));
  return [
    own,
    ...used.map((variable) => ({
      at: variable.at,
      written: variable.value,
      evaluate: (changed: string) =>
        evaluate(
          text,
          variables.map((other) => (other === variable ? { ...other, value: changed } : other)),
        ),
    })),
  ];
}
