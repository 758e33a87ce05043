/**
 * The first 200 characters of an answer for a message: masked before it is cut, so that no half of a secret escapes
 * the mask; control characters and line breaks become spaces.
 */
export function excerpt(body: Uint8Array, redact: (text: string) => string): string {
  const text = redact(new TextDecoder().decode(body));
  const line = text
    .replace(/[\u0000-\u0020\u007f-\u00a0\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
