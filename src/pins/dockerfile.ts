import type { Reference } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import { type Base, readBases } from '../recipe/bases.ts';
import { type Dockerfile, readDockerfile } from '../recipe/dockerfile.ts';
import { type Pin, type PinFile, type Place, pinFrom, type Source, type Unreadable } from './pin.ts';

/** A stretch of the file's bytes. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** For names such as `app-${TARGETARCH}`: one of the images that they mean. */
const PLATFORM = 'linux/amd64';

/**
 * The images of a Dockerfile: frontend, every FROM with its ARGs filled in by their defaults, COPY --from and mounts.
 * An image that has no value without a build argument is told; the others are read all the same.
 */
export function dockerfilePins(file: string, bytes: Uint8Array): PinFile {
  const unreadable: Unreadable[] = [];
  const wrong = (failure: Failure): void => {
    const line = failure.findings[0]?.at?.line ?? 1;
    const why = failure.message.replace(`${file}:${line}: `, '').replace(/\.$/, '');
    unreadable.push({ at: { file, line, column: 1 }, why });
  };
  let dockerfile: Dockerfile;
  let images: readonly Base[];
  try {
    dockerfile = readDockerfile(bytes, file);
    images = basesOf(dockerfile, wrong);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    wrong(error);
    return { file, pins: [], unreadable };
  }
  const pins = images.flatMap((base, index): Pin[] => {
    if (base.place === undefined) return [];
    const { start, end, before, after } = base.place;
    const own = { start: start + before.length, end: end - after.length };
    const sources = [own, ...argumentsUsed(dockerfile, text(bytes, own))].map((range) =>
      sourceAt(file, bytes, range, index),
    );
    return [pinFrom('dockerfile', written(base, text(bytes, own)), sources)];
  });
  return { file, pins, unreadable };
}

function basesOf(dockerfile: Dockerfile, onWrong?: (failure: Failure) => void): readonly Base[] {
  const inputs = { buildArgs: {}, platform: PLATFORM, buildPlatform: PLATFORM };
  return readBases(dockerfile, { ...inputs, ...(onWrong && { onWrong }) }).images;
}

/** Builders add `latest`; a pin says that nothing was written. */
function written({ reference }: Base, word: string): Reference {
  const added = reference.tag === 'latest' && !word.includes('latest') && !word.includes('$');
  if (!added) return reference;
  const { tag: _, ...rest } = reference;
  return rest;
}

function sourceAt(file: string, bytes: Uint8Array, range: Range, index: number): Source {
  const word = text(bytes, range);
  return {
    at: placeOf(file, bytes, range.start),
    written: word,
    evaluate(changed) {
      const whole = Buffer.concat([
        bytes.subarray(0, range.start),
        Buffer.from(changed),
        bytes.subarray(range.end),
      ]);
      try {
        const made = basesOf(readDockerfile(whole, file), () => {});
        return made[index]?.reference;
      } catch (error) {
        if (error instanceof Failure) return undefined;
        throw error;
      }
    },
  };
}

/** Where the defaults of the global ARGs stand; those that the word names first. */
function argumentsUsed(dockerfile: Dockerfile, word: string): Range[] {
  if (!word.includes('$')) return [];
  const { args, bytes } = dockerfile;
  const named = [...args].sort((a, b) => Number(word.includes(b.name)) - Number(word.includes(a.name)));
  return named.flatMap(({ name, value, line }) => {
    if (value === undefined) return [];
    const from = lineStart(bytes, line);
    const key = Buffer.from(bytes).indexOf(Buffer.from(`${name}=${value}`, 'latin1'), from);
    if (key < 0) return [];
    const quoted = /^(["']).*\1$/.test(value) ? 1 : 0;
    const start = key + name.length + 1 + quoted;
    return [{ start, end: start + value.length - 2 * quoted }];
  });
}

function text(bytes: Uint8Array, { start, end }: Range): string {
  return Buffer.from(bytes.subarray(start, end)).toString('utf8');
}

function placeOf(file: string, bytes: Uint8Array, offset: number): Place {
  const before = Buffer.from(bytes.subarray(0, offset));
  const begin = before.lastIndexOf(10) + 1;
  const line = before.subarray(0, begin).reduce((sum, byte) => sum + Number(byte === 10), 1);
  // A byte order mark is no column.
  const column =
    before
      .subarray(begin)
      .toString('utf8')
      .replace(/^\ufeff/, '').length + 1;
  return { file, line, column };
}

function lineStart(bytes: Uint8Array, line: number): number {
  let at = 0;
  for (let number = 1; number < line; number++) at = Buffer.from(bytes).indexOf(10, at) + 1;
  return at;
}
