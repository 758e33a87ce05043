/** What a recipe document is made of. */
export type Json = string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * JSON with one spelling for one value: no spaces, keys in the order of their UTF-16 units, texts as
 * `JSON.stringify` writes them (RFC 8785 for the kinds of values that a recipe document has). Keys without a value
 * are left out.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .flatMap((key) => {
      const member = value[key];
      return member === undefined ? [] : [`${JSON.stringify(key)}:${canonicalJson(member)}`];
    });
  return `{${members.join(',')}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
