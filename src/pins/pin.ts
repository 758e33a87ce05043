import type { Digest } from '../oci/digest.ts';
import { formatReference, parseReference, type Reference } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';

/** The kinds of file that name images. */
export type PinKind =
  | 'compose'
  | 'dockerfile'
  | 'kubernetes'
  | 'helm'
  | 'workflow'
  | 'drone'
  | 'woodpecker'
  | 'env';

/** A place in a file, 1-based; columns in UTF-16 units, as editors and annotations count them. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a reference is to become. Without `digest` it has none afterwards. */
export interface Wanted {
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

/** An image that a file names. */
export interface Pin {
  readonly kind: PinKind;
  /** Where the text stands that decides: the reference itself, or the default or variable that its version is from. */
  readonly at: Place;
  /** The text that stands there; untrusted. */
  readonly written: string;
  /** Where the reference is used, if that is elsewhere. */
  readonly usedAt?: Place;
  /** With every variable filled in; without a tag where none is written. */
  readonly reference: Reference;
  /** The service is built here: the reference is the name of what is built, which no registry need have. */
  readonly built?: true;
  /** What to write instead of `written`; `undefined` where one change at this place does not do it. */
  rewrite(wanted: Wanted): string | undefined;
}

/** A place that could not be read, and why, as the end of a sentence. */
export interface Unreadable {
  readonly at: Place;
  readonly why: string;
}

/** What one file says. */
export interface PinFile {
  readonly file: string;
  readonly pins: readonly Pin[];
  readonly unreadable: readonly Unreadable[];
}

/** Text that a reference is made from, where it stands, and what the reference is with another text in its place. */
export interface Source {
  readonly at: Place;
  readonly written: string;
  /** The reference, `undefined` where that would be none. */
  evaluate(text: string): Reference | undefined;
}

/** A version that nobody writes, to find out which text decides. */
const PROBE = '0.0.0-probe';

/**
 * The pin that these sources make, the place where the reference is used first. Its place is that of the first
 * source at which a change of tag (or digest) changes exactly that and nothing else.
 */
export function pinFrom(
  kind: PinKind,
  reference: Reference,
  sources: readonly Source[],
  more: { readonly built?: true } = {},
): Pin {
  const used = sources[0]!;
  const probe: Wanted =
    reference.tag === undefined && reference.digest !== undefined
      ? { digest: `sha256:${'0'.repeat(64)}` }
      : { tag: PROBE, digest: reference.digest };
  const deciding =
    sources.length === 1 ? used : sources.find((source) => rewritten(source, reference, probe) !== undefined);
  const source = deciding ?? used;
  return {
    kind,
    at: source.at,
    written: source.written,
    ...(source === used ? {} : { usedAt: used.at }),
    reference,
    ...more,
    rewrite: (wanted) => rewritten(source, reference, wanted),
  };
}

/** Every change that is tried is evaluated: what is proposed is known to give the wanted reference. */
function rewritten({ written, evaluate }: Source, reference: Reference, wanted: Wanted): string | undefined {
  const goal = formatReference({
    registry: reference.registry,
    repository: reference.repository,
    ...(wanted.tag === undefined ? {} : { tag: wanted.tag }),
    ...(wanted.digest === undefined ? {} : { digest: wanted.digest }),
  });
  return candidates(written, reference, wanted).find((text) => {
    const made = evaluate(text);
    return made !== undefined && formatReference(made) === goal;
  });
}

function candidates(written: string, reference: Reference, { tag, digest }: Wanted): string[] {
  const withDigest =
    reference.digest === undefined
      ? digest === undefined
        ? [written]
        : [`${written}@${digest}`]
      : digest === undefined
        ? [written.replace(`@${reference.digest}`, '')]
        : [written.replace(reference.digest, digest)];
  if (tag === undefined) return withDigest;
  return withDigest.flatMap((text) => {
    if (reference.tag === undefined) {
      const at = text.indexOf('@');
      return at < 0 ? [`${text}:${tag}`] : [`${text.slice(0, at)}:${tag}${text.slice(at)}`];
    }
    return replacements(text, reference.tag, tag);
  });
}

/** The text with one occurrence replaced, for each occurrence, the last first: tags stand at the end. */
function replacements(text: string, old: string, next: string): string[] {
  const found: string[] = [];
  for (let at = text.lastIndexOf(old); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(old, at - 1)) {
    found.push(text.slice(0, at) + next + text.slice(at + old.length));
  }
  return found;
}

/** The reference in this text, or why it is none. */
export function referenceIn(text: string): Reference | { readonly why: string } {
  try {
    return parseReference(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { why: 'is no image reference' };
  }
}

/** Whether a template or an expression of a pipeline stands in this text, which only its engine can fill in. */
export function isTemplate(text: string): boolean {
  return /\{\{|\$\{\{|<%|\{%|\$\(/.test(text);
}
