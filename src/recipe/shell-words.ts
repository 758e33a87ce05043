// Words as a shell, and so a Dockerfile, reads them. `sign` is the escape character.

/** Where the word that starts at `from` ends: at a space outside quotes, or with the text. */
export function wordEnd(text: string, from: number, sign: string): number {
  return scan(text, from, sign, true).at;
}

/** Whether every quote that opens is closed. */
export function quotesClose(text: string, sign: string): boolean {
  return scan(text, 0, sign, false).quote === '';
}

function scan(text: string, from: number, sign: string, word: boolean): { at: number; quote: string } {
  let quote = '';
  let at = from;
  for (; at < text.length; at += 1) {
    const char = text[at]!;
    // In single quotes nothing is escaped.
    if (char === sign && quote !== "'") at += 1;
    else if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (word && /[ \t\v\f\r]/.test(char)) break;
  }
  return { at: Math.min(at, text.length), quote };
}

/** The words of a text, quotes and escapes still in them. */
export function shellWords(text: string, sign: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    const to = wordEnd(text, at, sign);
    if (to > at) words.push(text.slice(at, to));
    at = to + 1;
  }
  return words;
}

/** A word without its quotes and escapes. */
export function unquoted(word: string, sign: string): string {
  const one = sign === '\\' ? '\\\\' : sign;
  return word.replace(
    new RegExp(`'([^']*)'|"((?:${one}.|[^"])*)"|${one}(.)`, 'g'),
    (_, single?: string, double?: string, char?: string) =>
      single ?? double?.replace(new RegExp(`${one}(["$${one}])`, 'g'), '$1') ?? char ?? '',
  );
}
