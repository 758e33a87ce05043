import { posix } from 'node:path';
import dockerignore from '@balena/dockerignore';
import { Failure } from '../outcome.ts';

/** The rules of one ignore file. Paths are relative to the context, `/`-separated, without a leading `./`. */
export interface IgnoreRules {
  ignores(path: string): boolean;
  /** Whether a `!` rule may bring back a file of an ignored folder, so that no folder can be skipped whole. */
  readonly exceptions: boolean;
}

/** Go's `unicode.IsSpace`, by which the Docker command line trims: not JavaScript's set, which has the BOM. */
const SPACE = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const AROUND = new RegExp(`^${SPACE}|${SPACE}$`, 'g');

/**
 * Reads an ignore file as the Docker command line does (moby/patternmatcher 0.6: `ignorefile.ReadAll`, `New`).
 * The matching is `@balena/dockerignore`'s, which follows an older moby; where today's differs, the pattern is
 * rewritten first. `file` is the name for messages. Fails with `ignore-invalid` where Docker refuses the pattern.
 */
export function readIgnoreRules(bytes: Uint8Array, file: string): IgnoreRules {
  const standIns = new StandIns();
  const rules = noRules();
  let exceptions = false;
  const lines = new TextDecoder('utf-8', { ignoreBOM: true })
    .decode(bytes)
    .replace(/^\ufeff/, '')
    .split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('#')) continue;
    const text = line.replace(AROUND, '');
    if (text === '') continue;
    const cleaned = clean(text);
    const exception = cleaned.startsWith('!');
    const pattern = exception ? cleaned.slice(1) : cleaned;
    if (pattern === '' || !isPattern(pattern)) throw invalid(file, index + 1, text);
    exceptions ||= exception;
    for (const same of todays(standIns.put(pattern))) {
      const rule = (exception ? '!' : '') + same;
      try {
        // A bad range, `[z-a]`, shows only when the library compiles it, at the first test.
        noRules().add([same]).ignores('x/y');
      } catch {
        throw invalid(file, index + 1, text);
      }
      rules.add([rule]);
    }
  }
  // The library keeps its answers in `{}`: a file called `constructor` or `toString` would count as already
  // answered, with a truthy value, and reach the image although it is ignored.
  Reflect.set(rules, '_cache', Object.create(null));
  return { ignores: (path) => rules.ignores(standIns.put(path)), exceptions };
}

/** The library's default is to take `README` and `readme` for one; the builders' file systems tell them apart. */
function noRules(): ReturnType<typeof dockerignore.default> {
  return dockerignore.default({ ignorecase: false });
}

/** What moby makes of a line before it looks for the `!`: `!` and the path with `.`, `..`, `//` and ends resolved. */
function clean(line: string): string {
  const negated = line.startsWith('!');
  const path = negated ? line.slice(1).replace(AROUND, '') : line;
  if (path === '') return line;
  const normal = posix.normalize(path);
  return (negated ? '!' : '') + normal.replace(/^\/(?=.)/, '').replace(/(?<=.)\/$/, '');
}

function invalid(file: string, line: number, text: string): Failure {
  return new Failure('ignore-invalid', `${file}:${line}: \`${text}\` is not a pattern that Docker accepts.`);
}

/** The pattern, or two, that mean to the library what this one means to today's Docker. */
function todays(pattern: string): readonly string[] {
  // `**.md`: since 0.5 of the matcher a leading `**` before plain text is "ends with", not "any folder".
  const written = pattern.replace(/^\*\*(?=[^*?[\]\\/][^*?[\]\\]*$)/, '**/*');
  // Signs of a regular expression that are none of a pattern: `c++`, `a(1).txt`, `{x}`, and `#` after a space.
  // Plain text is compared as it is; among wildcards `^` keeps its meaning.
  const plain = /^(?:\*\*)?[^*?[\]\\]*$|^[^*?[\]\\]*\*\*$/.test(pattern);
  const escaped = written.replace(plain ? /[+(){}|^]|^#/g : /\\.|[+(){}|]|^#/g, (found) =>
    found.length === 2 ? found : `\\${found}`,
  );
  // The library looks at parent folders only at the depth of the pattern, unless a component is exactly `**`.
  const glued = escaped.split('/').some((part) => part.includes('**') && part !== '**');
  return glued ? [escaped, `${escaped.replace(/\/+$/, '')}/**`] : [escaped];
}

/** Go's `filepath.Match` syntax: every class closed and not empty, no range without an end, no last backslash. */
function isPattern(pattern: string): boolean {
  const one = '(?:\\\\.|[^\\\\\\]-])';
  const rest = `(?:${one}(?:-${one})?)`;
  return new RegExp(`^(?:\\\\.|[^\\\\[]|\\[(?:\\^|(?!\\^))${rest}+\\])*$`).test(pattern);
}

/**
 * A character outside the basic plane is two units to JavaScript, so that `?` would match half of it. Each is
 * replaced by one unit of the private use area, the same one in patterns and paths.
 */
class StandIns {
  readonly #known = new Map<string, string>();

  put(text: string): string {
    if (!/[\ud800-\udbff]/.test(text)) return text;
    return text.replace(/[\u{10000}-\u{10ffff}]/gu, (found) => {
      const known = this.#known.get(found) ?? String.fromCharCode(0xe000 + (this.#known.size % 0x1900));
      this.#known.set(found, known);
      return known;
    });
  }
}
