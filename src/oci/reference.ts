import type { Digest } from './digest.ts';

/**
 * An image reference, fully qualified: `registry` is a host with optional port (`docker.io` where none was
 * written), `repository` has `library/` added on Docker Hub. `tag` and `digest` may both be absent.
 */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}
