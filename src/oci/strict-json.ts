import { Failure } from '../outcome.ts';

const DEEPEST = 64;

/**
 * Parses JSON that several programs must read alike: UTF-8 only, no byte order mark, no key twice in one object,
 * nesting of at most 64. Of two equal keys one parser takes the first and another the last, so a signed or compared
 * document could mean two things. Fails with `manifest-invalid`; `what` names the document in the message.
 */
export function parseStrictJson(bytes: Uint8Array, what: string): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('manifest-invalid', `${what} is not UTF-8.`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Failure('manifest-invalid', `${what} is not JSON.`, { cause });
  }
  const fault = structuralFault(text);
  if (fault !== undefined) throw new Failure('manifest-invalid', `${what} ${fault}.`);
  return value;
}

/** Walks text that `JSON.parse` took; without recursion, so that depth costs no stack. */
function structuralFault(text: string): string | undefined {
  const containers: (Set<string> | undefined)[] = [];
  let keyNext = false;
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '{':
        containers.push(new Set());
        keyNext = true;
        break;
      case '[':
        containers.push(undefined);
        keyNext = false;
        break;
      case '}':
      case ']':
        containers.pop();
        break;
      case ',':
        keyNext = containers.at(-1) !== undefined;
        break;
      case '"': {
        const end = endOfString(text, i);
        if (keyNext) {
          const key = JSON.parse(text.slice(i, end)) as string;
          const keys = containers.at(-1)!;
          if (keys.has(key)) return `has the key ${JSON.stringify(key.slice(0, 100))} twice in one object`;
          keys.add(key);
          keyNext = false;
        }
        i = end - 1;
        break;
      }
    }
    if (containers.length > DEEPEST) return `is nested more than ${DEEPEST} deep`;
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}

/**
 * A key that differs from a known one in case only. Go's JSON reader, which engines and registries use, takes it for
 * the known one; a strict reader does not. `undefined` where there is none. The two letters outside ASCII that fold
 * to `s` and `k` count too.
 */
export function lookalikeKey(object: object, known: readonly string[]): string | undefined {
  const folded = new Map(known.map((key) => [fold(key), key]));
  return Object.keys(object).find((key) => {
    const match = folded.get(fold(key));
    return match !== undefined && match !== key;
  });
}

function fold(key: string): string {
  return key
    .replace(/\u017f/g, 's')
    .replace(/\u212a/g, 'k')
    .toLowerCase();
}
