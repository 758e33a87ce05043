import {
  isTemplate,
  type Pin,
  type PinFile,
  type PinKind,
  type Place,
  pinFrom,
  referenceIn,
  type Unreadable,
} from './pin.ts';
import { filled, sourcesOf, type Variable } from './variables.ts';
import type { Text, YamlTree } from './yaml-tree.ts';

/** What a reader of one file puts its findings in. A place is told once, however many aliases lead to it. */
export class Collected {
  readonly #tree: Pick<YamlTree, 'file'>;
  readonly #pins = new Map<string, Pin>();
  readonly #unreadable = new Map<string, Unreadable>();

  constructor(tree: Pick<YamlTree, 'file'>) {
    this.#tree = tree;
  }

  add(pin: Pin): void {
    const { line, column, file } = pin.at;
    this.#pins.set(`${file}:${line}:${column} ${pin.usedAt?.line ?? ''}`, pin);
  }

  cannotRead(unreadable: Unreadable): void {
    this.#unreadable.set(`${unreadable.at.line}:${unreadable.at.column}`, unreadable);
  }

  /** A reference in one text. `prefix` stands before it and is not part of it: `docker://`. */
  reference(
    kind: PinKind,
    found: Text | undefined,
    more: { readonly built?: true; readonly variables?: readonly Variable[]; readonly prefix?: string } = {},
  ) {
    if (found === undefined || found.text === '') return;
    const { prefix = '', variables, built } = more;
    const text = found.text.slice(prefix.length);
    const at = { ...found.at, column: found.at.column + prefix.length };
    if (isTemplate(text)) return this.cannotRead({ at, why: 'it is made by a template' });
    if (variables === undefined && text.includes('$')) {
      return this.cannotRead({ at, why: 'it has variables that only the pipeline can fill in' });
    }
    const made = filled(text, variables ?? []);
    if ('why' in made) return this.cannotRead({ at, why: made.why });
    this.add(pinFrom(kind, made.reference, sourcesOf(text, at, variables ?? []), built ? { built } : {}));
  }

  /** A reference that is put together: `build` makes its text from the one that stands at `found`. */
  assembled(kind: PinKind, found: Text, build: (text: string) => string) {
    const whole = build(found.text);
    if (isTemplate(whole)) return this.cannotRead({ at: found.at, why: 'it is made by a template' });
    const reference = referenceIn(whole);
    if ('why' in reference) return this.cannotRead({ at: found.at, why: reference.why });
    const evaluate = (text: string) => {
      const made = referenceIn(build(text));
      return 'why' in made ? undefined : made;
    };
    this.add(pinFrom(kind, reference, [{ at: found.at, written: found.text, evaluate }]));
  }

  result(before: readonly Unreadable[] = []): PinFile {
    return {
      file: this.#tree.file,
      pins: [...this.#pins.values()].sort((a, b) => inOrder(a.at, b.at)),
      unreadable: [...before, ...this.#unreadable.values()],
    };
  }
}

function inOrder(a: Place, b: Place): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
