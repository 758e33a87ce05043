import { Failure } from '../outcome.ts';
import { labelsOf, readDockerfile } from '../recipe/dockerfile.ts';

const VERSION = 'org.opencontainers.image.version';

/** A version that a Dockerfile states, and the line of its LABEL. */
export interface StatedVersion {
  readonly file: string;
  readonly line: number;
  readonly value: string;
}

/**
 * The version that a Dockerfile's last stage states in a LABEL, where it is written and not filled in by the build.
 * A file that is no Dockerfile states none; the reader of pins tells of it.
 */
export function dockerfileVersions(file: string, bytes: Uint8Array): readonly StatedVersion[] {
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
