import type { Dockerfile } from './dockerfile.ts';
import { utf8 } from './instructions.ts';

/**
 * Finds the instruction that a builder's step (`RUN make`, `COPY a b`) is about. Builders print instructions on one
 * line, some with variables filled in: an equal text wins, then the one with the longest common beginning.
 */
export function locateInstruction(
  dockerfile: Dockerfile,
): (step: string) => { line: number; text: string } | undefined {
  const places = dockerfile.stages.flatMap(({ from, line, instructions }) => [
    { line, text: `FROM ${oneLine(utf8(from.text))}` },
    ...instructions.map(({ keyword, flags, rest, line: at }) => ({
      line: at,
      text: oneLine(utf8([keyword, ...flags.map((flag) => flag.text), rest].join(' '))),
    })),
  ]);
  return (step) => {
    const wanted = oneLine(step);
    const equal = places.find(({ text }) => text === wanted);
    if (equal !== undefined) return equal;
    const [keyword = ''] = wanted.split(' ');
    const ranked = places
      .filter(({ text }) => text.startsWith(`${keyword.toUpperCase()} `))
      .map((place) => ({ place, common: commonLength(place.text, wanted) }))
      .filter(({ common }) => common > keyword.length + 1)
      .sort((a, b) => b.common - a.common);
    return ranked[0]?.place;
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function commonLength(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  return at;
}
