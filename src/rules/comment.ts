import { fromMarkdown } from 'mdast-util-from-markdown';

/** What a comment asks for, as far as its text alone tells. */
export type CommentCommand =
  /** Nothing for us: no answer. */
  | { readonly kind: 'none' }
  /** The command stands in backticks: it does not count, and the person should hear of it. */
  | { readonly kind: 'quoted' }
  | { readonly kind: 'short-commit'; readonly word: string }
  | { readonly kind: 'unknown-argument'; readonly word: string }
  | {
      readonly kind: 'run';
      /** Reuse the canonical's volumes; a run that cannot says `warm-unavailable`. */
      readonly quick: boolean;
      readonly commit?: string;
      readonly arguments: Readonly<Record<string, string>>;
    };

/** The most of a comment that is looked at; forges allow 64 KiB. */
const LIMIT = 65_536;

/**
 * Reads a comment. The structure is CommonMark's: HTML comments, code of either kind, block quotes with their lazy
 * continuation lines and inline code are no text of the author's. Of what is left the first line that is not blank
 * is the whole command, or the comment is none.
 *
 * `word` is the command's word (`!testme`); `allowed` are the names of arguments that may be given.
 */
export function readComment(body: string, word: string, allowed: readonly string[]): CommentCommand {
  const text = body.slice(0, LIMIT).replace(/\r\n?/g, '\n');
  const { plain, inlineCode } = authorsOwn(text);
  const line = firstLine(plain);
  if (line === undefined)
    return inlineCode.some((code) => isCommand(code, word)) ? { kind: 'quoted' } : { kind: 'none' };
  const [first, ...rest] = line.split(/[ \t]+/);
  if (first !== word) {
    const lone = firstLine(text)?.match(/^(`+) ?(.*?) ?\1$/)?.[2];
    return lone !== undefined && isCommand(lone, word) ? { kind: 'quoted' } : { kind: 'none' };
  }
  return readWords(rest, allowed);
}

function readWords(words: readonly string[], allowed: readonly string[]): CommentCommand {
  let quick = false;
  let commit: string | undefined;
  const given: Record<string, string> = {};
  for (const word of words) {
    const [, name, value] = /^([a-z0-9-]+)=([A-Za-z0-9._-]{1,64})$/.exec(word) ?? [];
    if (word === '--quick') quick = true;
    else if (/^[0-9a-f]{40}$/.test(word) && commit === undefined) commit = word;
    else if (/^[0-9a-fA-F]{4,64}$/.test(word)) return { kind: 'short-commit', word };
    else if (
      name !== undefined &&
      value !== undefined &&
      allowed.includes(name) &&
      !Object.hasOwn(given, name)
    )
      given[name] = value;
    else return { kind: 'unknown-argument', word };
  }
  return { kind: 'run', quick, ...(commit === undefined ? {} : { commit }), arguments: given };
}

function isCommand(text: string, word: string): boolean {
  return text === word || text.startsWith(`${word} `);
}

/** Spaces and tabs only: a zero-width character is a character, and a line that has one is another line. */
function firstLine(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.replace(/^[ \t]+|[ \t]+$/g, ''))
    .find((line) => line !== '');
}

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly children?: readonly Node[];
  readonly position?:
    | { readonly start: { readonly offset?: number }; readonly end: { readonly offset?: number } }
    | undefined;
}

/** The text with everything blanked that is not the author's own word; line ends stay. */
function authorsOwn(text: string): { plain: string; inlineCode: readonly string[] } {
  const characters = text.split('');
  const inlineCode: string[] = [];
  const blank = (from: number, to: number): void => {
    for (let at = from; at < to; at++) if (characters[at] !== '\n') characters[at] = ' ';
  };
  const visit = (node: Node): void => {
    const from = node.position?.start.offset ?? 0;
    const to = node.position?.end.offset ?? 0;
    if (node.type === 'code' || node.type === 'blockquote') blank(from, to);
    else if (node.type === 'inlineCode') {
      inlineCode.push(node.value ?? '');
      blank(from, to);
    } else if (node.type === 'html') {
      for (const comment of text.slice(from, to).matchAll(/<!--(?:>|->|[\s\S]*?(?:-->|$))/g)) {
        blank(from + comment.index, from + comment.index + comment[0].length);
      }
    } else node.children?.forEach(visit);
  };
  visit(fromMarkdown(text) as Node);
  return { plain: characters.join(''), inlineCode };
}
