import { Failure, finding } from '../outcome.ts';
import { quotesClose, shellWords, unquoted, wordEnd } from './shell-words.ts';

/** A word of a Dockerfile and the bytes it is written in, `[start, end)`; line breaks may be among them. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface Heredoc {
  readonly name: string;
  readonly content: string;
}

/** One instruction: lines that continue each other are one, comments between them are gone. */
export interface Instruction {
  /** Upper-case. */
  readonly keyword: string;
  /** `--from=…`, `--mount=…`: as they are written, quotes included. */
  readonly flags: readonly Word[];
  /** What follows the flags, lines joined, as it is written. */
  readonly rest: string;
  /** `rest` at its spaces; quotes have no meaning here. */
  readonly words: readonly Word[];
  /** 1-based; the last line is a heredoc's end where there is one. */
  readonly line: number;
  readonly lastLine: number;
  readonly heredocs: readonly Heredoc[];
}

/** A Dockerfile as instructions. Texts are one character a byte (`latin1`), so that places are byte places. */
export interface Instructions {
  readonly escape: '\\' | '`';
  /** `# syntax=`: the image that translates the file. */
  readonly syntax?: Word & { readonly line: number };
  readonly list: readonly Instruction[];
}

interface Line {
  /** Without its line end. */
  readonly text: string;
  readonly start: number;
}

/** Lines joined to one: each part says from which index of `text` on it comes from which byte of the file. */
interface Joined {
  text: string;
  readonly parts: { readonly index: number; readonly start: number }[];
}

// Not `\s`: to JavaScript the second byte of `à` is a space.
const BLANK = '[ \\t\\v\\f\\r]';
const DIRECTIVE = new RegExp(`^#${BLANK}*([a-zA-Z][a-zA-Z0-9]*)${BLANK}*=${BLANK}*(.+?)${BLANK}*$`);
const WORD = /[^ \t\v\f\r]+/g;
const LEADING = new RegExp(`^${BLANK}+`);

/** The escape character of shells. */
const SHELL = '\\';

/**
 * Splits a Dockerfile into instructions by the rules of BuildKit's parser (`frontend/dockerfile/parser`):
 * directives on top, the escape character, comments and empty lines inside an instruction, heredocs of RUN, COPY
 * and ADD. Fails with `dockerfile-invalid`, naming the line. What no builder knows is not refused here.
 */
export function readInstructions(bytes: Uint8Array, file: string): Instructions {
  const lines = splitLines(Buffer.from(bytes).toString('latin1'));
  const directives = readDirectives(lines, file);
  const sign = directives.escape;
  const list: Instruction[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = at + 1;
    const joined: Joined = { text: '', parts: [] };
    at = join(lines, at, sign, joined);
    if (joined.text.replace(LEADING, '') === '') continue;
    const instruction = split(joined, sign);
    const heredocs: Heredoc[] = [];
    for (const { name, chomp } of heredocsOf(instruction)) {
      const content: string[] = [];
      const plain = (text: string): string => (chomp ? text.replace(/^\t+/, '') : text);
      while (at < lines.length && plain(lines[at]!.text) !== name)
        content.push(`${plain(lines[at++]!.text)}\n`);
      if (at === lines.length)
        throw dockerfileInvalid(file, line, `the heredoc \`${utf8(name)}\` has no end`);
      at += 1;
      heredocs.push({ name: utf8(name), content: utf8(content.join('')) });
    }
    list.push({ ...instruction, line, lastLine: at, heredocs });
  }
  return { ...directives, list };
}

export function dockerfileInvalid(file: string, line: number, why: string, remedy?: string): Failure {
  const message = `${file}:${line}: ${why}.`;
  const more = remedy === undefined ? {} : { remedy };
  return new Failure('dockerfile-invalid', message, {
    ...more,
    findings: [finding('dockerfile-invalid', 'error', message, { ...more, at: { file, line } })],
  });
}

/** The text that these bytes are. */
export function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function splitLines(text: string): Line[] {
  const lines: Line[] = [];
  // The byte order mark, as one character a byte.
  let start = text.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end === -1 ? text.length : end);
    lines.push({ text: line.endsWith('\r') ? line.slice(0, -1) : line, start });
    start = end === -1 ? text.length : end + 1;
  }
  return lines;
}

function readDirectives(lines: readonly Line[], file: string): Pick<Instructions, 'escape' | 'syntax'> {
  const seen = new Map<string, Word & { line: number }>();
  for (const [index, { text, start }] of lines.entries()) {
    // `#!` on the first line lets a Dockerfile be run as a program.
    if (index === 0 && text.startsWith('#!')) continue;
    const match = DIRECTIVE.exec(text);
    if (match === null) break;
    const name = match[1]!.toLowerCase();
    const value = match[2]!;
    if (seen.has(name)) throw dockerfileInvalid(file, index + 1, `the directive \`${name}\` is there twice`);
    const from = start + text.lastIndexOf(value);
    seen.set(name, { text: value, start: from, end: from + value.length, line: index + 1 });
  }
  const chosen = seen.get('escape');
  if (chosen !== undefined && chosen.text !== '\\' && chosen.text !== '`') {
    throw dockerfileInvalid(file, chosen.line, 'the escape character must be `\\` or a backtick');
  }
  const syntax = seen.get('syntax');
  if (syntax === undefined) return { escape: chosen?.text === '`' ? '`' : '\\' };
  const image = syntax.text.split(' ', 1)[0]!;
  return {
    escape: chosen?.text === '`' ? '`' : '\\',
    syntax: { ...syntax, text: image, end: syntax.start + image.length },
  };
}

/** Joins the lines of one instruction; answers the index of the line after them. */
function join(lines: readonly Line[], from: number, sign: string, joined: Joined): number {
  const one = sign === '\\' ? '\\\\' : sign;
  const continues = new RegExp(`(?:^|[^${one}])${one}[ \\t]*$`);
  let at = from;
  let open = true;
  for (; open && at < lines.length; at += 1) {
    const { text, start } = lines[at]!;
    const bare = text.replace(LEADING, '');
    const first = at === from;
    // Comments, and (with a warning of the builder) empty lines, do not end a continued instruction.
    if (bare.startsWith('#') || (bare === '' && !first)) {
      if (first) return at + 1;
      continue;
    }
    open = continues.test(text);
    const shift = first ? text.length - bare.length : 0;
    const end = open ? text.lastIndexOf(sign) : text.length;
    joined.parts.push({ index: joined.text.length, start: start + shift });
    joined.text += text.slice(shift, end);
  }
  return at;
}

function split(joined: Joined, sign: string): Omit<Instruction, 'line' | 'lastLine' | 'heredocs'> {
  const { text } = joined;
  const words = [...text.matchAll(WORD)].map((match) => ({
    from: match.index,
    to: match.index + match[0].length,
  }));
  const keyword = words.shift()!;
  let at = keyword.to;
  const flags: Word[] = [];
  for (;;) {
    const from = at + (LEADING.exec(text.slice(at))?.[0].length ?? 0);
    at = from;
    if (!text.startsWith('--', from)) break;
    const to = wordEnd(text, from, sign);
    at = to;
    // Two dashes alone end the flags.
    if (to === from + 2) break;
    flags.push(place(joined, from, to));
  }
  return {
    keyword: text.slice(keyword.from, keyword.to).toUpperCase(),
    flags,
    rest: text.slice(at).replace(new RegExp(`^${BLANK}+|${BLANK}+$`, 'g'), ''),
    words: words.filter((word) => word.from >= at).map((word) => place(joined, word.from, word.to)),
  };
}

function place(joined: Joined, from: number, to: number): Word {
  return { text: joined.text.slice(from, to), start: byteAt(joined, from), end: byteAt(joined, to - 1) + 1 };
}

function byteAt(joined: Joined, index: number): number {
  const { parts } = joined;
  // By halving: an instruction may have as many lines as a file may have.
  let low = 0;
  for (let high = parts.length - 1; low < high; ) {
    const middle = Math.ceil((low + high) / 2);
    if (parts[middle]!.index > index) high = middle - 1;
    else low = middle;
  }
  const found = parts[low]!;
  return found.start + index - found.index;
}

function heredocsOf(instruction: Pick<Instruction, 'keyword' | 'rest'>): { name: string; chomp: boolean }[] {
  const inner = /^ONBUILD$/.test(instruction.keyword)
    ? instruction.rest
    : `${instruction.keyword} ${instruction.rest}`;
  if (!/^(?:RUN|COPY|ADD)[ \t]/i.test(inner) || !inner.includes('<<')) return [];
  if (inner.replace(/^\S+[ \t]+/, '').startsWith('[') && isList(inner)) return [];
  // Whatever escapes elsewhere, here it is the shell's; with an open quote no builder looks for words.
  if (!quotesClose(inner, SHELL)) return [];
  const found: { name: string; chomp: boolean }[] = [];
  for (const word of shellWords(inner, SHELL)) {
    const match = /^\d*<<(-?)([^<]+)$/.exec(word);
    if (match === null) continue;
    const name = unquoted(match[2]!, SHELL);
    if (name !== '') found.push({ name, chomp: match[1] === '-' });
  }
  return found;
}

/** `RUN ["a", "b"]`: what a shell would read means nothing there. */
function isList(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text.slice(text.indexOf('['))));
  } catch {
    return false;
  }
}
