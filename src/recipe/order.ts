/**
 * Orders texts as git and everything else that compares UTF-8 bytes does. JavaScript's own order compares UTF-16
 * units, in which 😀 comes before ～; a locale's order differs between machines.
 */
export function byteOrder(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return unit(x) - unit(y);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for characters above the basic plane, behind its last characters. */
function unit(code: number): number {
  return code >= 0xd800 && code <= 0xdfff ? code + 0x2800 : code >= 0xe000 ? code - 0x800 : code;
}
