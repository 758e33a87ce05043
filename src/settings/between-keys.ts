import * as v from 'valibot';

/** A rule between the keys of an object, which also says itself in the words of JSON Schema. */
type BetweenKeys = ((entry: object) => boolean) & { readonly jsonSchema: object };

function betweenKeys(
  word: 'oneOf' | 'anyOf',
  keys: readonly string[],
  holds: (present: number) => boolean,
): BetweenKeys {
  const rule = (entry: object): boolean =>
    holds(keys.filter((key) => (entry as Record<string, unknown>)[key] !== undefined).length);
  return Object.assign(rule, { jsonSchema: { [word]: keys.map((key) => ({ required: [key] })) } });
}

const named = (keys: readonly string[]): string =>
  keys
    .map((key) => `\`${key}\``)
    .join(', ')
    .replace(/, (?=[^,]*$)/, ' and ');

/** One of these keys, and no second one. */
export const exactlyOneOf = <T extends object>(...keys: readonly string[]): v.CheckAction<T, string> =>
  v.check<T, string>(
    betweenKeys('oneOf', keys, (present) => present === 1),
    `needs exactly one of ${named(keys)}`,
  );

/** One of these keys, or several. */
export const someOf = <T extends object>(...keys: readonly string[]): v.CheckAction<T, string> =>
  v.check<T, string>(
    betweenKeys('anyOf', keys, (present) => present > 0),
    `needs one of ${named(keys)}`,
  );
