import { parseReference, type Reference } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import { type Dockerfile, type Stage, targetStage } from './dockerfile.ts';
import { type Expanded, expand } from './expand.ts';
import { dockerfileInvalid, type Instruction, utf8, type Word } from './instructions.ts';

/** An image that a Dockerfile names, and where. */
export interface Base {
  readonly use: 'from' | 'copy' | 'mount' | 'frontend';
  /** Fully qualified, with a tag or a digest: `:latest` where neither was written. */
  readonly reference: Reference;
  readonly line: number;
  /** The word of the file that names it; absent where a build argument does. */
  readonly place?: {
    readonly start: number;
    readonly end: number;
    readonly before: string;
    readonly after: string;
  };
}

/** What fills in the variables of a FROM. */
export interface BaseInputs {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target?: string;
  /** `linux/arm64`: gives TARGETARCH and its kin their values. */
  readonly platform?: string;
  /** The builder's own platform, for BUILDARCH and its kin. */
  readonly buildPlatform?: string;
  /** Takes what would fail, one image at a time, so that the others are still read. */
  readonly onWrong?: (failure: Failure) => void;
}

export interface Bases {
  /** In the order of the file, the frontend first. */
  readonly images: readonly Base[];
  /** Platform variables that a FROM needs and that were not given: those bases are missing from `images`. */
  readonly unknownPlatform: readonly string[];
  /** What the target stage stands on in the end; nothing for `scratch`. */
  readonly from?: Reference;
}

/**
 * The images of every stage up to the target: all that any builder looks at. (BuildKit leaves out stages that the
 * target does not need, the classic builder does not.) Fails with `dockerfile-invalid` and the line where a name
 * cannot be read, or where a variable in it has no value.
 */
export function readBases(dockerfile: Dockerfile, inputs: BaseInputs): Bases {
  const target = targetStage(dockerfile, inputs.target);
  const scope = new Scope(dockerfile, inputs);
  const images: Base[] = [];
  const roots: (Reference | undefined)[] = [];
  const frontend = scope.frontend();
  if (frontend !== undefined) images.push(frontend);
  const tried = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Failure) || inputs.onWrong === undefined) throw error;
      inputs.onWrong(error);
      return undefined;
    }
  };
  for (const stage of dockerfile.stages.slice(0, target.index + 1)) {
    const base = tried(() => scope.from(stage));
    if (typeof base === 'number') roots.push(roots[base]);
    else roots.push(base?.reference);
    if (typeof base === 'object') images.push(base);
    for (const instruction of stage.instructions) {
      images.push(...(tried(() => scope.sources(instruction)) ?? []));
    }
  }
  const from = roots[target.index];
  return { images, unknownPlatform: [...scope.unknown], ...(from && { from }) };
}

/** Variables that builders give a value to, by what they are about. */
const PLATFORM_VARIABLE = /^(TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)$/;

class Scope {
  readonly unknown = new Set<string>();
  readonly #dockerfile: Dockerfile;
  readonly #inputs: BaseInputs;
  /** Global ARGs with the default that counts; `undefined` where it cannot be filled in. */
  readonly #args = new Map<string, string | undefined>();
  readonly #declared: ReadonlySet<string>;
  readonly #names: ReadonlySet<string>;
  /** Stages that a FROM can name by now: the last of each name. */
  readonly #earlier = new Map<string, number>();

  constructor(dockerfile: Dockerfile, inputs: BaseInputs) {
    this.#dockerfile = dockerfile;
    this.#inputs = inputs;
    this.#declared = new Set(dockerfile.args.map(({ name }) => name));
    this.#names = new Set(dockerfile.stages.flatMap(({ name }) => name ?? []));
    for (const { name, value } of dockerfile.args) {
      if (value === undefined && this.#lookup(name) !== undefined) continue;
      const expanded = value === undefined ? { missing: name } : this.#expand(value);
      this.#args.set(name, 'text' in expanded ? expanded.text : undefined);
    }
  }

  /** `# syntax=`, unless the build argument that BuildKit takes for it says otherwise. */
  frontend(): Base | undefined {
    const { syntax, path } = this.#dockerfile;
    const given = this.#inputs.buildArgs.BUILDKIT_SYNTAX;
    if (given !== undefined && given !== '') {
      const line = syntax?.line ?? 1;
      return { use: 'frontend', reference: named(given, path, line), line };
    }
    if (syntax === undefined) return undefined;
    const { line } = syntax;
    return { use: 'frontend', reference: named(syntax.text, path, line), line, place: whole(syntax) };
  }

  /**
   * The image, the index of the stage that it is, or nothing for `scratch` and where the platform is not known. To be
   * called in the order of the file.
   */
  from(stage: Stage): Base | number | undefined {
    try {
      return this.#from(stage);
    } finally {
      if (stage.name !== undefined) this.#earlier.set(stage.name, stage.index);
    }
  }

  #from(stage: Stage): Base | number | undefined {
    const { path } = this.#dockerfile;
    const { line, from } = stage;
    const expanded = this.#expand(from.text);
    if ('wrong' in expanded) throw dockerfileInvalid(path, line, utf8(expanded.wrong));
    if ('missing' in expanded) {
      if (PLATFORM_VARIABLE.test(expanded.missing)) {
        this.unknown.add(expanded.missing);
        return undefined;
      }
      throw dockerfileInvalid(
        path,
        line,
        `FROM uses \`$${expanded.missing}\`, which has no value`,
        `Give \`${expanded.missing}\` in \`build-args\`, or a default in an ARG before the first FROM.`,
      );
    }
    const earlier = this.#earlier.get(expanded.text.toLowerCase());
    if (earlier !== undefined) return earlier;
    if (expanded.text === 'scratch') return undefined;
    return { use: 'from', reference: named(expanded.text, path, line), line, place: whole(from) };
  }

  /** The images that an instruction copies or mounts from. */
  sources(instruction: Instruction): Base[] {
    const inner = instruction.keyword;
    const found: Base[] = [];
    for (const flag of instruction.flags) {
      const copy = inner === 'COPY' ? /^(--from=)(.*)$/s.exec(flag.text) : null;
      if (copy !== null) found.push(...this.#source('copy', instruction, flag, copy[2]!, copy[1]!, ''));
      if (inner === 'RUN' && flag.text.startsWith('--mount=')) {
        const from = mountSource(flag.text);
        if (from !== undefined) found.push(...this.#source('mount', instruction, flag, ...from));
      }
    }
    return found;
  }

  #source(
    use: 'copy' | 'mount',
    { line }: Instruction,
    flag: Word,
    value: string,
    before: string,
    after: string,
  ): Base[] {
    const { path } = this.#dockerfile;
    const name = value.replace(/^(["'])(.*)\1$/, '$2');
    if (name === '' || /^\d+$/.test(name) || name === 'scratch') return [];
    if (name.includes('$')) {
      throw dockerfileInvalid(
        path,
        line,
        `builders fill in no variables in \`from=${utf8(name)}\``,
        'Name the image in a FROM of its own, which may use them, and that stage here.',
      );
    }
    if (this.#names.has(name.toLowerCase())) return [];
    const { start, end } = flag;
    return [{ use, reference: named(name, path, line), line, place: { start, end, before, after } }];
  }

  #expand(word: string): Expanded {
    return expand(word, (name) => this.#lookup(name), this.#dockerfile.escape);
  }

  #lookup(name: string): string | undefined {
    const { buildArgs, target } = this.#inputs;
    const declared = this.#declared.has(name);
    const automatic = PLATFORM_VARIABLE.test(name) || name === 'TARGETSTAGE';
    if ((declared || automatic) && Object.hasOwn(buildArgs, name)) return buildArgs[name];
    if (this.#args.has(name)) return this.#args.get(name);
    if (name === 'TARGETSTAGE') return target ?? 'default';
    return this.#platformPart(name);
  }

  #platformPart(name: string): string | undefined {
    const [, side, part] = PLATFORM_VARIABLE.exec(name) ?? [];
    const platform = side === 'TARGET' ? this.#inputs.platform : this.#inputs.buildPlatform;
    if (part === undefined || platform === undefined) return undefined;
    const [os, architecture, variant] = platform.split('/');
    return { PLATFORM: platform, OS: os, ARCH: architecture, VARIANT: variant ?? '' }[part];
  }
}

/** The value of `from=` among the comma-separated fields of a mount, and what stands before and after it. */
function mountSource(flag: string): [value: string, before: string, after: string] | undefined {
  const quoted = /^(.*,"from=|--mount="from=)([^"]*)(".*)$/is.exec(flag);
  const plain = /^(.*,from=|--mount=from=)("[^"]*"|'[^']*'|[^,"']*)(.*)$/is.exec(flag);
  const [, before, value, after] = quoted ?? plain ?? [];
  return value === undefined ? undefined : [value, before!, after!];
}

function whole({ start, end }: Word): Base['place'] & object {
  return { start, end, before: '', after: '' };
}

function named(text: string, file: string, line: number): Reference {
  let reference: Reference;
  try {
    reference = parseReference(utf8(text));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw dockerfileInvalid(file, line, error.message.replace(/\.$/, ''), error.remedy);
  }
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: 'latest' }
    : reference;
}
