import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';

/** A manifest or index exactly as the registry has it; `digest` is what we hashed. */
export interface RawManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: Digest;
}

/** An image or index with its per-platform contents, for labels and for comparing content. */
export interface ImageContents {
  readonly manifest: RawManifest;
  /** One entry for a single image; one per real platform of an index (attestation children left out). */
  readonly platforms: readonly PlatformImage[];
}

export interface PlatformImage {
  /** `linux/amd64`, `linux/arm64/v8` … from the index entry, else from the config. */
  readonly platform: string;
  readonly manifest: RawManifest;
  readonly config: { readonly digest: Digest; readonly bytes: Uint8Array };
  readonly labels: Readonly<Record<string, string>>;
  readonly layers: readonly Digest[];
}

/** What a blob upload reads: the bytes at once, or a stream that can be opened again for a retry. */
export type BlobSource = Uint8Array | { readonly size: number; open(): NodeJS.ReadableStream };

/**
 * The OCI distribution client. "Absent" (`undefined`) is said only for a 404; every other answer that is not a
 * success is a Failure (`registry-denied`, `registry-unreachable`, `registry-failed`, `cannot-determine`).
 * Credentials are looked up by the exact host.
 */
export interface Registry {
  /** What a tag (or digest) points at right now; one request per distinct reference and run. */
  resolve(reference: Reference): Promise<{ digest: Digest; mediaType: string } | undefined>;
  /** As `resolve`, but never from memory: for guards, leases and read-back. */
  head(reference: Reference): Promise<{ digest: Digest; mediaType: string } | undefined>;
  manifest(reference: Reference): Promise<RawManifest | undefined>;
  /** Manifest, configs and layer digests of every platform. */
  contents(reference: Reference): Promise<ImageContents | undefined>;
  blob(reference: Reference, digest: Digest, limitBytes?: number): Promise<Uint8Array | undefined>;
  blobExists(reference: Reference, digest: Digest): Promise<boolean>;
  putBlob(reference: Reference, digest: Digest, source: BlobSource): Promise<void>;
  mountBlob(reference: Reference, digest: Digest, fromRepository: string): Promise<boolean>;
  /**
   * Puts raw manifest bytes under the reference's tag, or under its digest. `subjectHonoured`: the answer had
   * OCI-Subject. `once`: one try, for bytes that are out of date by the next.
   */
  putManifest(
    reference: Reference,
    manifest: { bytes: Uint8Array; mediaType: string },
    options?: { readonly once?: boolean },
  ): Promise<{ digest: Digest; subjectHonoured: boolean }>;
  tags(reference: Reference): Promise<readonly string[]>;
  /** Whether the reference's host asks nobody for credentials (distribution spec, "Determining Support"). */
  isOpen(reference: Reference): Promise<boolean>;
  /** The native referrers API: the index bytes, `undefined` where the registry has no such API (404). */
  referrers(reference: Reference, digest: Digest): Promise<RawManifest | undefined>;
}
