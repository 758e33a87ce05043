import { Failure } from '../outcome.ts';
import { dockerfileInvalid, type Instruction, readInstructions, utf8, type Word } from './instructions.ts';
import { shellWords, unquoted } from './shell-words.ts';

/** `ARG NAME` or `ARG NAME=default`; the default as it is written. */
export interface Arg {
  readonly name: string;
  readonly value?: string;
  readonly line: number;
}

/** `LABEL key=value`, quotes taken away, variables left as they are. */
export interface Label {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export interface Stage {
  readonly index: number;
  /** Lower-case, as builders compare it. */
  readonly name?: string;
  /** What stands behind FROM, as it is written. */
  readonly from: Word;
  readonly line: number;
  readonly args: readonly Arg[];
  readonly labels: readonly Label[];
  /** Without the FROM. */
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** Path for messages, relative to the context. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly escape: '\\' | '`';
  readonly syntax?: Word & { readonly line: number };
  /** Before the first FROM: the only ones that a FROM can use. */
  readonly args: readonly Arg[];
  readonly stages: readonly Stage[];
}

/** Reads a Dockerfile. Fails with `dockerfile-invalid`, naming the line, where no builder could begin. */
export function readDockerfile(bytes: Uint8Array, path: string): Dockerfile {
  const { escape: sign, syntax, list } = readInstructions(bytes, path);
  const args: Arg[] = [];
  const stages: (Stage & { instructions: Instruction[]; args: Arg[]; labels: Label[] })[] = [];
  for (const instruction of list) {
    const stage = stages.at(-1);
    if (instruction.keyword === 'FROM') {
      const { from, name } = readFrom(instruction, path);
      const named = name === undefined ? {} : { name };
      const own = { args: [], labels: [], instructions: [] };
      stages.push({ index: stages.length, ...named, from, line: instruction.line, ...own });
      continue;
    }
    if (instruction.keyword === 'ARG') {
      for (const arg of readArgs(instruction, sign)) (stage?.args ?? args).push(arg);
    }
    if (instruction.keyword === 'LABEL') {
      for (const label of readLabels(instruction, sign)) stage?.labels.push(label);
    }
    stage?.instructions.push(instruction);
  }
  if (stages.length === 0) throw dockerfileInvalid(path, 1, 'there is no FROM instruction');
  return { path, bytes, escape: sign, ...(syntax && { syntax }), args, stages };
}

/** The stage that is built: the named one, or the last. Fails with `setting-invalid` where there is none. */
export function targetStage(dockerfile: Dockerfile, target: string | undefined): Stage {
  if (target === undefined) return dockerfile.stages.at(-1)!;
  const found = stageNamed(dockerfile.stages, target);
  if (found !== undefined) return found;
  const names = dockerfile.stages.flatMap(({ name }) => (name === undefined ? [] : [`\`${name}\``]));
  const known = names.length === 0 ? 'It names no stage.' : `Its stages are ${names.join(', ')}.`;
  throw new Failure('setting-invalid', `${dockerfile.path} has no stage \`${target}\` to build. ${known}`, {
    remedy: 'Set `target` to a stage that the Dockerfile names, or leave it out.',
  });
}

/** The last of the stages with this name; names have no case. */
export function stageNamed(stages: readonly Stage[], name: string): Stage | undefined {
  return stages.findLast((stage) => stage.name === name.toLowerCase());
}

/** The labels that the target stage has from LABEL, its own and those of the stages that it is made from. */
export function labelsOf(dockerfile: Dockerfile, target?: string): Readonly<Record<string, string>> {
  const stages = dockerfile.stages.slice(0, targetStage(dockerfile, target).index + 1);
  // Each stage's parent is the last one before it of that name.
  const named = new Map<string, number>();
  const parents = stages.map(({ name, from, index }) => {
    const parent = named.get(from.text.toLowerCase());
    if (name !== undefined) named.set(name, index);
    return parent;
  });
  const chain: Stage[] = [];
  for (let at: number | undefined = stages.length - 1; at !== undefined; at = parents[at])
    chain.push(stages[at]!);
  return Object.fromEntries(
    chain.reverse().flatMap(({ labels }) => labels.map(({ key, value }) => [key, value])),
  );
}

function readFrom(instruction: Instruction, path: string): { from: Word; name?: string } {
  const [from, as, name, ...more] = instruction.words;
  if (from === undefined) throw dockerfileInvalid(path, instruction.line, 'FROM names no image');
  if (as === undefined) return { from };
  if (as.text.toUpperCase() !== 'AS' || name === undefined || more.length > 0) {
    throw dockerfileInvalid(path, instruction.line, 'FROM must be `FROM image` or `FROM image AS name`');
  }
  return { from, name: name.text.toLowerCase() };
}

function readArgs(instruction: Instruction, sign: string): Arg[] {
  return shellWords(instruction.rest, sign).map((word) => {
    const at = word.indexOf('=');
    const { line } = instruction;
    if (at === -1) return { name: word, line };
    return { name: word.slice(0, at), value: word.slice(at + 1), line };
  });
}

function readLabels(instruction: Instruction, sign: string): Label[] {
  const words = shellWords(instruction.rest, sign);
  const { line } = instruction;
  const [first, ...others] = words;
  if (first === undefined) return [];
  const label = (key: string, value: string): Label => ({
    key: utf8(unquoted(key, sign)),
    value: utf8(unquoted(value, sign)),
    line,
  });
  // The old form, one label an instruction: `LABEL key some value`.
  if (!keyOf(first)) return [label(first, others.join(' '))];
  return words.flatMap((word) => {
    const key = keyOf(word);
    return key === undefined ? [] : [label(key, word.slice(key.length + 1))];
  });
}

/** What stands before the `=` that is outside quotes. */
function keyOf(word: string): string | undefined {
  return /^((?:"[^"]*"|'[^']*'|[^"'=])+)=/.exec(word)?.[1];
}
