/** The value of a variable; `undefined` where it has none. */
export type Lookup = (name: string) => string | undefined;

/** A word with its variables filled in, or why that cannot be done. */
export type Expanded =
  | { readonly text: string }
  /** A variable that has no value. */
  | { readonly missing: string }
  /** A form that no builder takes, or `${name:?message}` without a value. */
  | { readonly wrong: string };

/**
 * Fills in `$NAME`, `${NAME}` and the forms `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`, and takes quotes
 * and escapes away, as BuildKit's `frontend/dockerfile/shell` does. Unlike there, a variable without a value does
 * not become empty: a base that nobody named would be resolved and recorded. `sign` is the escape character; empty
 * for compose files, where quotes mean nothing and `$$` is a dollar.
 */
export function expand(word: string, lookup: Lookup, sign = '\\'): Expanded {
  const reader = new Reader(word, lookup, sign);
  try {
    return { text: reader.text('') };
  } catch (error) {
    if (error instanceof Stop) return error.why;
    throw error;
  }
}

/** Forms inside forms; nobody writes more than two. */
const DEEPEST = 32;

/** Characters out of variables: `ARG A=$A$A`, again and again, would fill the memory. */
const LONGEST = 16384;

class Stop extends Error {
  readonly why: Exclude<Expanded, { text: string }>;

  constructor(why: Exclude<Expanded, { text: string }>) {
    super('stop');
    this.why = why;
  }
}

class Reader {
  #at = 0;
  #depth = 0;
  #length = 0;
  readonly #word: string;
  readonly #lookup: Lookup;
  readonly #sign: string;

  constructor(word: string, lookup: Lookup, sign: string) {
    this.#word = word;
    this.#lookup = lookup;
    this.#sign = sign;
  }

  /** Up to the first of the characters in `until` outside quotes, or the end. */
  text(until: string): string {
    let text = '';
    while (this.#at < this.#word.length) {
      const char = this.#word[this.#at]!;
      if (until.includes(char)) return text;
      this.#at += 1;
      if (char === '$') text += this.#dollar();
      else if (this.#sign === '') text += char;
      else if (char === "'") text += this.#single();
      else if (char === '"') text += this.#double();
      else if (char === this.#sign) text += this.#word[this.#at++] ?? '';
      else text += char;
    }
    if (until !== '') throw new Stop({ wrong: `\`${this.#word}\` lacks a closing brace` });
    return text;
  }

  #single(): string {
    const end = this.#word.indexOf("'", this.#at);
    if (end === -1) throw new Stop({ wrong: `\`${this.#word}\` lacks a closing quote` });
    const text = this.#word.slice(this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #double(): string {
    let text = '';
    while (this.#at < this.#word.length) {
      const char = this.#word[this.#at++]!;
      const next = this.#word[this.#at] ?? '';
      if (char === '"') return text;
      if (char === '$') text += this.#dollar();
      else if (char === this.#sign && ['"', '$', this.#sign].includes(next)) {
        text += next;
        this.#at += 1;
      } else text += char;
    }
    throw new Stop({ wrong: `\`${this.#word}\` lacks a closing quote` });
  }

  #dollar(): string {
    const next = this.#word[this.#at];
    if (next === '$' && this.#sign === '') {
      this.#at += 1;
      return '$';
    }
    const braced = next === '{';
    if (braced) this.#at += 1;
    const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#!?$-])/.exec(this.#word.slice(this.#at))?.[0];
    if (name === undefined) {
      if (!braced) return '$';
      throw new Stop({ wrong: `\`${this.#word}\` has braces without a name` });
    }
    this.#at += name.length;
    return braced ? this.#form(name) : this.#value(name);
  }

  #value(name: string): string {
    const value = this.#known(name);
    if (value === undefined) throw new Stop({ missing: name });
    return value;
  }

  #known(name: string): string | undefined {
    const value = this.#lookup(name);
    this.#length += value?.length ?? 0;
    if (this.#length > LONGEST) throw new Stop({ wrong: 'its variables make a text that is too long' });
    return value;
  }

  #form(name: string): string {
    const form = /^(?:\}|:?[-+?]|##?|%%?|\/\/?)/.exec(this.#word.slice(this.#at))?.[0];
    if (form === undefined) throw new Stop({ wrong: `\`${this.#word}\` has an unknown form of \`${name}\`` });
    this.#at += form.length;
    if (form === '}') return this.#value(name);
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new Stop({ wrong: 'its variables are in each other too deeply' });
    const text = this.#modified(name, form);
    this.#depth -= 1;
    return text;
  }

  #modified(name: string, form: string): string {
    if (form.startsWith('/')) return this.#replaced(name, form === '//');
    const value = this.#known(name);
    const has = value !== undefined && !(form.startsWith(':') && value === '');
    const operator = form.replace(':', '');
    // The word behind the sign is read only where it counts: its own variables may have no value.
    if (operator === '-' ? has : operator === '+' ? !has : operator === '?' && has) {
      this.#skip();
      return operator === '+' ? '' : (value ?? '');
    }
    const word = this.text('}');
    this.#at += 1;
    if (operator === '-' || operator === '+') return word;
    if (operator === '?') throw new Stop({ wrong: `\`${name}\` has no value${word && `: ${word}`}` });
    return trimmed(this.#value(name), operator, word);
  }

  #replaced(name: string, all: boolean): string {
    const pattern = this.text('/}');
    const closed = this.#word[this.#at++] === '}';
    const replacement = closed ? '' : this.text('}');
    if (!closed) this.#at += 1;
    const value = this.#value(name);
    return value.replace(new RegExp(glob(pattern, true), all ? 'gs' : 's'), () => replacement);
  }

  #skip(): void {
    const skipped = new Reader(this.#word, () => '', this.#sign);
    skipped.#at = this.#at;
    skipped.#depth = this.#depth;
    skipped.text('}');
    this.#at = skipped.#at + 1;
  }
}

/** `#` and `%` take the shortest match from the front and the end, doubled the longest. */
function trimmed(value: string, operator: string, pattern: string): string {
  const greedy = operator.length === 2;
  if (operator.startsWith('#')) return value.replace(new RegExp(`^${glob(pattern, greedy)}`, 's'), '');
  const anchored = new RegExp(`^${glob(pattern, true)}$`, 's');
  const starts = Array.from({ length: value.length + 1 }, (_, index) => index);
  const start = (greedy ? starts : starts.reverse()).find((index) => anchored.test(value.slice(index)));
  return start === undefined ? value : value.slice(0, start);
}

function glob(pattern: string, greedy: boolean): string {
  // Each further one multiplies what a regular expression has to try.
  if (pattern.split('*').length > 3) throw new Stop({ wrong: `\`${pattern}\` has more than two wildcards` });
  return pattern.replace(
    /\\(.)|([*?])|([.+^${}()|[\]/])/gs,
    (_, escaped?: string, wild?: string, sign?: string) => {
      if (wild !== undefined) return wild === '?' ? '.' : greedy ? '.*' : '.*?';
      const char = escaped ?? sign ?? '';
      return /\w/.test(char) ? char : `\\${char}`;
    },
  );
}
