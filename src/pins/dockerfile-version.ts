import { Failure } from '../outcome.ts';
import { labelsOf, readDockerfile } from '../recipe/dockerfile.ts';
import { readInside } from '../recipe/inside.ts';

const VERSION = 'org.opencontainers.image.version';

/** A version that a Dockerfile states, and the line of its LABEL. */
export interface StatedVersion {
  readonly file: string;
  readonly line: number;
  readonly value: string;
}

/**
 * The version that a Dockerfile's last stage states in a LABEL, where it is written and not filled in by the build.
 * A file that is absent or no Dockerfile states none; the reader of pins tells of it. Fails with `path-outside`.
 */
export function dockerfileVersions(folder: string, file: string): readonly StatedVersion[] {
  const bytes = readInside(folder, file, 1024 * 1024);
  if (bytes === undefined) return [];
  try {
    const dockerfile = readDockerfile(bytes, file);
    const value = labelsOf(dockerfile)[VERSION];
    if (value === undefined || value === '' || value.includes('$')) return [];
    const label = dockerfile.stages
      .flatMap(({ labels }) => labels)
      .findLast((one) => one.key === VERSION && one.value === value);
    return label === undefined ? [] : [{ file, line: label.line, value }];
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}
