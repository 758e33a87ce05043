import { type Finding, finding } from '../../outcome.ts';
import { parseVersion, versionKey } from '../version.ts';
import { type Known, open } from './looked-up.ts';

/** One place that states the version: a file of the tree, the tag of the commit, a label of the image. */
export interface StatedPlace {
  /** For people: `compose.yml:12`, `the tag 3.0.1`, `the label … of linux/amd64`. */
  readonly name: string;
  readonly value: string;
  readonly at?: { readonly file: string; readonly line?: number; readonly column?: number };
}

export interface VersionFacts {
  /** Everything in the tree, the tag among it where the tree is a release. */
  readonly tree: readonly StatedPlace[];
  /** The published image of `version`, and what its labels say. */
  readonly image?: {
    readonly version: string;
    readonly name: string;
    readonly labels: Known<readonly StatedPlace[]>;
  };
}

/** All places that state the version state the same one; the image's labels state the version of its tag. */
export function checkVersion({ tree, image }: VersionFacts): Finding[] {
  const findings: Finding[] = [];
  const values = new Map<string, StatedPlace[]>();
  for (const place of tree)
    values.set(keyOf(place.value), [...(values.get(keyOf(place.value)) ?? []), place]);
  if (values.size > 1) {
    const all = tree.map(({ name, value }) => `${name} says ${value}`).join(', ');
    const at = tree.find((place) => place.at !== undefined)?.at;
    findings.push(
      finding('version-disagrees', 'error', `The version is stated differently: ${all}.`, {
        found: [...new Set(tree.map(({ value }) => value))].join(', '),
        ...(at === undefined ? {} : { at }),
      }),
    );
  }
  if (image === undefined) return findings;
  if ('unanswered' in image.labels) return [...findings, open(`The labels of ${image.name}`, image.labels)];
  for (const { name, value } of image.labels.known) {
    if (keyOf(value) === keyOf(image.version)) continue;
    findings.push(
      finding(
        'version-disagrees',
        'error',
        `${image.name}: ${name} says ${value}, the tag ${image.version}.`,
        {
          expected: image.version,
          found: value,
          remedy: 'Find out how the image came to this tag; release again under a new version.',
        },
      ),
    );
  }
  return findings;
}

function keyOf(value: string): string {
  const version = parseVersion(value);
  return version === undefined ? value : versionKey(version);
}
