import type { Collected } from './collect.ts';
import { pinFrom, referenceIn } from './pin.ts';
import type { Variable } from './variables.ts';

/**
 * The variables of an env file that hold a whole reference: by their name, since a value alone could be anything
 * (`HOST=db:5432`). A variable that holds a version only counts where a compose file uses it.
 */
export function envPins(variables: readonly Variable[], out: Collected): void {
  for (const { name, value, at } of variables) {
    if (!/IMAGE/i.test(name) || value.includes('$') || !/[:/@]/.test(value)) continue;
    const reference = referenceIn(value);
    if ('why' in reference || (reference.tag === undefined && reference.digest === undefined)) continue;
    const evaluate = (text: string) => {
      const made = referenceIn(text);
      return 'why' in made ? undefined : made;
    };
    out.add(pinFrom('env', reference, [{ at, written: value, evaluate }]));
  }
}
