import type { Digest } from '../../oci/digest.ts';
import { type Finding, finding } from '../../outcome.ts';
import { type Known, open } from './looked-up.ts';

export interface BaseFacts {
  /** The published image, for people. */
  readonly image: string;
  /** What its labels record; absent where they record none. */
  readonly base?: { readonly name: string; readonly digest: Digest };
  /** What `name` holds now. `same`: equal content on the platforms of the image. */
  readonly now: Known<{ readonly digest: Digest; readonly same: boolean } | undefined>;
}

/** The base that the image was built on is still what its name holds. */
export function checkBase({ image, base, now }: BaseFacts): Finding[] {
  if (base === undefined) return [];
  if ('unanswered' in now) return [open(`The base ${base.name} of ${image}`, now)];
  if (now.known === undefined) {
    const message = `The base ${base.name} of ${image} is not in its registry any more.`;
    return [finding('base-image-moved', 'warning', message, { expected: base.digest })];
  }
  if (now.known.same) return [];
  const message = `The base ${base.name} has other content now than when ${image} was built on it.`;
  return [
    finding('base-image-moved', 'warning', message, { expected: now.known.digest, found: base.digest }),
  ];
}
