/**
 * Masking of secrets in everything that is shown. A secret is found as it is, in URL and JSON form, and inside any
 * base64 or base64url text that contains it at any of the three byte alignments (`Authorization: Basic …`).
 */
export interface Mask {
  add(secret: string): void;
  redact(text: string): string;
  /** Redacts text that arrives in chunks; holds back as much as a secret could span. */
  stream(): { push(chunk: string): string; end(): string };
}

const SHORTEST = 3;

export function createMask(): Mask {
  const forms = new Set<string>();
  let pattern: RegExp | undefined;
  let longest = 0;

  const add = (secret: string): void => {
    for (const part of partsOf(secret)) {
      for (const form of formsOf(part)) forms.add(form);
    }
    // Longest first, so that a secret that contains another is masked whole.
    const sorted = [...forms].sort((a, b) => b.length - a.length);
    longest = sorted[0]?.length ?? 0;
    pattern = sorted.length === 0 ? undefined : new RegExp(sorted.map(escapeRegExp).join('|'), 'g');
  };

  const redact = (text: string): string => (pattern === undefined ? text : text.replace(pattern, '***'));

  return {
    add,
    redact,
    stream: () => {
      let held = '';
      return {
        push(chunk) {
          held += chunk;
          // What may still grow into a secret stays, as it is: of two that begin alike the longer one may be coming.
          let cut = Math.max(0, held.length - Math.max(0, longest - 1));
          for (const { index, 0: found } of pattern === undefined ? [] : held.matchAll(pattern))
            if (index < cut && index + found.length > cut) cut = index;
          const out = redact(held.slice(0, cut));
          held = held.slice(cut);
          return out;
        },
        end() {
          const out = redact(held);
          held = '';
          return out;
        },
      };
    },
  };
}

/** The secret itself, and for keys in PEM each line of the body: logs show such things line by line. */
function partsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const parts =
    lines.length > 1
      ? [secret, ...lines.filter((line) => line.length >= 8 && !line.startsWith('-----'))]
      : [secret];
  return parts.filter((part) => part.length >= SHORTEST);
}

function formsOf(secret: string): string[] {
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  const bytes = Buffer.from(secret);
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The characters that the neighbouring bytes also decide are left out at both ends.
    const start = offset === 0 ? 0 : offset + 1;
    const end = (bytes.length + offset) % 3 === 0 ? encoded.length : encoded.length - 1;
    const core = encoded.slice(start, end);
    if (core.length >= 6) forms.push(core, core.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
