import { helpText, versionText } from './settings/help.ts';

/**
 * The bundle's entrypoint: help and version come from this one file, and everything else from `main.ts`. Each file
 * that Node loads costs it more than a millisecond, and what people ask for by hand should come at once.
 */
function askedFor(words: readonly string[]): string | undefined {
  const isHelp = (word: string | undefined) => word === '--help' || word === '-h';
  const [first = '', second] = words;
  if (words.length === 1 && first === '--version') return versionText();
  if (words.length === 1 && (isHelp(first) || first === 'help')) return helpText(undefined);
  if (words.length === 2 && isHelp(second) && !first.startsWith('-')) return helpText(first);
  // Every other spelling is main's to read.
  return undefined;
}

const text = askedFor(process.argv.slice(2));
if (text === undefined) await import('./main.ts');
else process.stdout.write(text);
