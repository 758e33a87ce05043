import { posix } from 'node:path';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { parseReference, type Reference } from '../oci/reference.ts';
import { Failure, finding } from '../outcome.ts';
import { readEnvFile } from './env-file.ts';
import { expand } from './expand.ts';
import { FILE_LIMIT } from './files.ts';
import { components, existsInside, readInside } from './inside.ts';
import { byteOrder } from './order.ts';

/** An image that a service runs, and where that is written (1-based line). */
export interface ServiceImage {
  readonly reference: Reference;
  readonly file: string;
  readonly line: number;
}

/** A compose application as far as a recipe goes. Paths are relative to its folder. */
export interface ComposeApplication {
  readonly images: Readonly<Record<string, ServiceImage>>;
  /** Every file and folder of the application that its files name and that exists, sorted. */
  readonly paths: readonly string[];
}

export interface ComposeInputs {
  /** Absolute; already checked. */
  readonly folder: string;
  readonly composeFiles: readonly string[];
  /** Default: `.env`, if there is one. */
  readonly envFile?: string;
}

/** Names under which compose looks for a file that nobody named. */
export const usualComposeFiles = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];

/** An application of a few files; more is a file that includes itself in disguise. */
const MOST_FILES = 64;

/**
 * Reads compose files: the images of all services, whatever their profile, and the files they use (`include`,
 * `extends`, `env_file`, `configs`, `secrets`, relative binds). Variables come from the env file only, never from our
 * environment. Fails with `compose-invalid`, naming file and line, and with `path-outside`.
 */
export function readCompose(inputs: ComposeInputs): ComposeApplication {
  const reading = new Reading(inputs);
  for (const file of inputs.composeFiles) reading.file(components(file).join('/'));
  return reading.result();
}

/** A compose file as plain values, anchors and merges resolved. */
interface ComposeFile {
  readonly path: string;
  readonly root: Readonly<Record<string, unknown>>;
  /** The line of what stands under these keys; 1 where an anchor brought it in. */
  line(...keys: string[]): number;
}

class Reading {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #paths = new Set<string>();
  readonly #images = new Map<string, ServiceImage>();
  readonly #files = new Map<string, ComposeFile>();

  constructor({ folder, envFile }: ComposeInputs) {
    this.#folder = folder;
    const path = components(envFile ?? '.env').join('/');
    const bytes = readInside(folder, path, FILE_LIMIT);
    if (bytes === undefined && envFile !== undefined) {
      throw new Failure('compose-invalid', `There is no env file \`${path}\`.`);
    }
    this.#env = bytes === undefined ? {} : readEnvFile(bytes.toString('utf8'));
    if (bytes !== undefined) this.#paths.add(path);
  }

  readonly #lookup = (name: string): string | undefined =>
    Object.hasOwn(this.#env, name) ? this.#env[name] : undefined;

  result(): ComposeApplication {
    const images = [...this.#images].sort(([a], [b]) => byteOrder(a, b));
    return { images: Object.fromEntries(images), paths: [...this.#paths].sort(byteOrder) };
  }

  /** Services of later files win over earlier ones, as compose merges them. */
  file(path: string): void {
    if (this.#files.has(path)) return;
    const file = this.#open(path);
    const { root } = file;
    for (const include of listOf(root.include)) {
      const long = mapOf(include);
      for (const other of listOf(long === undefined ? include : long.path)) {
        const included = this.#join(file, other);
        if (included !== undefined) this.file(included);
      }
      for (const other of listOf(long?.env_file)) this.#use(file, other);
    }
    for (const [name, service] of Object.entries(mapOf(root.services) ?? {}))
      this.#service(file, name, service);
    for (const kind of [root.configs, root.secrets]) {
      for (const entry of Object.values(mapOf(kind) ?? {})) this.#use(file, mapOf(entry)?.file);
    }
  }

  #service(file: ComposeFile, name: string, written: unknown): void {
    const service = mapOf(written) ?? {};
    const image = this.#image(file, name, service, 0);
    if (image !== undefined) this.#images.set(name, image);
    for (const entry of listOf(service.env_file)) this.#use(file, mapOf(entry)?.path ?? entry);
    for (const volume of listOf(service.volumes)) {
      const long = mapOf(volume);
      if (long !== undefined) {
        if (long.type === 'bind') this.#use(file, long.source);
        continue;
      }
      // `./conf:/etc/app:ro`: only what begins like a path is one, all else names a volume.
      const [from = ''] = String(volume).split(':');
      if (/^\.{1,2}(?:\/|$)/.test(from)) this.#use(file, from);
    }
  }

  #image(file: ComposeFile, name: string, service: Fields, depth: number): ServiceImage | undefined {
    if (typeof service.image === 'string') {
      const line = file.line('services', name, 'image');
      const text = this.#expand(file, service.image, line);
      return { reference: reference(file, text, line), file: file.path, line };
    }
    const parent =
      typeof service.extends === 'string' ? { service: service.extends } : mapOf(service.extends);
    if (typeof parent?.service !== 'string' || depth > 8) return undefined;
    const path = parent.file === undefined ? file.path : this.#join(file, parent.file);
    if (path === undefined) return undefined;
    const other = this.#files.get(path) ?? this.#open(path);
    const found = mapOf(mapOf(other.root.services)?.[parent.service]);
    return found && this.#image(other, parent.service, found, depth + 1);
  }

  /** A path that a file names, from the application's folder on; compose reads it from the file's own folder. */
  #join(file: ComposeFile, written: unknown): string | undefined {
    if (typeof written !== 'string') return undefined;
    const expanded = expand(written, this.#lookup, '');
    // A variable of the place where it is deployed: no file of the tree.
    if (!('text' in expanded)) return undefined;
    const path = expanded.text;
    if (path.startsWith('/') || path.startsWith('~')) return undefined;
    return components(posix.normalize(posix.join(posix.dirname(file.path), path))).join('/');
  }

  /** What does not exist, an absolute path or a secret that is not in git, is none of the recipe's files. */
  #use(file: ComposeFile, written: unknown): void {
    const path = this.#join(file, written);
    if (path === undefined || path === '') return;
    if (existsInside(this.#folder, path)) this.#paths.add(path);
  }

  #expand(file: ComposeFile, text: string, line: number): string {
    const expanded = expand(
      text,
      (name) => (Object.hasOwn(this.#env, name) ? this.#env[name] : undefined),
      '',
    );
    if ('text' in expanded) return expanded.text;
    if ('wrong' in expanded) throw composeInvalid(file.path, line, expanded.wrong);
    const name = expanded.missing;
    throw composeInvalid(
      file.path,
      line,
      `\`$${name}\` has no value`,
      `Give \`${name}\` a value in the env file.`,
    );
  }

  #open(path: string): ComposeFile {
    const bytes = readInside(this.#folder, path, FILE_LIMIT);
    if (bytes === undefined) throw new Failure('compose-invalid', `There is no compose file \`${path}\`.`);
    if (this.#files.size >= MOST_FILES) {
      throw new Failure('compose-invalid', `The application has more than ${MOST_FILES} compose files.`);
    }
    const file = parse(path, bytes.toString('utf8'));
    this.#files.set(path, file);
    this.#paths.add(path);
    return file;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function parse(path: string, text: string): ComposeFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const what = error.message.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, '');
    throw composeInvalid(path, error.linePos?.[0].line ?? 1, what);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    throw composeInvalid(path, 1, 'its anchors cannot be resolved');
  }
  const root = mapOf(value);
  if (root === undefined) throw composeInvalid(path, 1, 'it is not a map');
  return {
    path,
    root,
    line(...keys) {
      const node = document.getIn(keys, true);
      return isNode(node) && node.range ? lines.linePos(node.range[0]).line : 1;
    },
  };
}

function reference(file: ComposeFile, text: string, line: number): Reference {
  try {
    const read = parseReference(text);
    return read.tag === undefined && read.digest === undefined ? { ...read, tag: 'latest' } : read;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw composeInvalid(file.path, line, error.message.replace(/\.$/, ''), error.remedy);
  }
}

function composeInvalid(file: string, line: number, why: string, remedy?: string): Failure {
  const message = `${file}:${line}: ${why}.`;
  const more = remedy === undefined ? {} : { remedy };
  return new Failure('compose-invalid', message, {
    ...more,
    findings: [finding('compose-invalid', 'error', message, { ...more, at: { file, line } })],
  });
}

function mapOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** Compose takes one thing where it takes a list of them. */
function listOf(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}
