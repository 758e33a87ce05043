import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { parseImageConfig } from '../../../src/oci/image-config.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { formatReference, type Reference, withDigest } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import type { ImageContents, RawManifest, Registry } from '../../../src/registry/registry.ts';

/**
 * A registry of one process for rules that need no network. It keeps bytes by digest and tags by name, refuses an
 * index with a missing child, and has a list of referrers of its own only where that is switched on.
 */
export class MemoryRegistry implements Registry {
  readonly manifests = new Map<string, RawManifest>();
  readonly blobs = new Map<string, Uint8Array>();
  readonly tagged = new Map<string, Digest>();
  /** Answers `OCI-Subject` to pushes; has a referrers API; lists there what was pushed. */
  native = { honours: false, lists: false, shows: true };
  /** Refuses a list of which a child is gone, as distribution does; not all registries do. */
  checksChildren = true;
  /** Called before each request; may throw, wait, or change what is there. */
  before: (call: string, reference: Reference) => void | Promise<void> = () => {};

  async head(reference: Reference): Promise<{ digest: Digest; mediaType: string } | undefined> {
    const raw = await this.find('head', reference);
    return raw && { digest: raw.digest, mediaType: raw.mediaType };
  }

  resolve(reference: Reference): Promise<{ digest: Digest; mediaType: string } | undefined> {
    return this.head(reference);
  }

  manifest(reference: Reference): Promise<RawManifest | undefined> {
    return this.find('manifest', reference);
  }

  async contents(reference: Reference): Promise<ImageContents | undefined> {
    const manifest = await this.find('contents', reference);
    if (manifest === undefined) return undefined;
    const parsed = parseManifest(manifest.bytes, manifest.mediaType);
    const images =
      parsed.kind === 'image' ? [manifest.digest] : parsed.manifests.map((child) => child.digest);
    const platforms = images.map((digest) => {
      const raw = this.manifests.get(digest)!;
      const image = parseManifest(raw.bytes, raw.mediaType);
      if (image.kind !== 'image') throw new Failure('manifest-invalid');
      const bytes = this.blobs.get(image.config.digest)!;
      const { labels, platform } = parseImageConfig(bytes);
      return {
        platform: platform === undefined ? 'unknown' : `${platform.os}/${platform.architecture}`,
        manifest: raw,
        config: { digest: image.config.digest, bytes },
        labels,
        layers: image.layers.map((layer) => layer.digest),
      };
    });
    return { manifest, platforms };
  }

  async blob(reference: Reference, digest: Digest): Promise<Uint8Array | undefined> {
    await this.before('blob', withDigest(reference, digest));
    const bytes = this.blobs.get(digest);
    if (bytes !== undefined && digestOf(bytes) !== digest)
      throw new Failure('manifest-invalid', 'Other bytes came.');
    return bytes;
  }

  async blobExists(reference: Reference, digest: Digest): Promise<boolean> {
    await this.before('blobExists', withDigest(reference, digest));
    return this.blobs.has(digest);
  }

  async putBlob(reference: Reference, digest: Digest, source: unknown): Promise<void> {
    await this.before('putBlob', withDigest(reference, digest));
    this.blobs.set(digest, source as Uint8Array);
  }

  async mountBlob(): Promise<boolean> {
    return false;
  }

  async putManifest(
    reference: Reference,
    manifest: { bytes: Uint8Array; mediaType: string },
  ): Promise<{ digest: Digest; subjectHonoured: boolean }> {
    await this.before('putManifest', reference);
    const parsed = parseManifest(manifest.bytes, manifest.mediaType, { listing: true });
    if (
      this.checksChildren &&
      parsed.kind === 'index' &&
      parsed.manifests.some((child) => !this.manifests.has(child.digest))
    ) {
      throw new Failure('registry-failed', 'MANIFEST_BLOB_UNKNOWN');
    }
    const digest = digestOf(manifest.bytes);
    this.manifests.set(digest, { ...manifest, digest });
    if (reference.tag !== undefined) this.tagged.set(reference.tag, digest);
    return { digest, subjectHonoured: this.native.honours && parsed.subject !== undefined };
  }

  async isOpen(): Promise<boolean> {
    return true;
  }

  async tags(): Promise<readonly string[]> {
    return [...this.tagged.keys()];
  }

  async referrers(reference: Reference, subject: Digest): Promise<RawManifest | undefined> {
    await this.before('referrers', withDigest(reference, subject));
    if (!this.native.lists) return undefined;
    const manifests = [...this.manifests.values()].flatMap((raw) => {
      const parsed = parseManifest(raw.bytes, raw.mediaType, { listing: true });
      if (!this.native.shows || parsed.subject?.digest !== subject) return [];
      const { artifactType, annotations } = parsed;
      return [
        { mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length, artifactType, annotations },
      ];
    });
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    return { bytes, mediaType, digest: digestOf(bytes) };
  }

  private async find(call: string, reference: Reference): Promise<RawManifest | undefined> {
    await this.before(call, reference);
    const digest =
      reference.digest ?? (reference.tag === undefined ? undefined : this.tagged.get(reference.tag));
    const raw = digest === undefined ? undefined : this.manifests.get(digest);
    if (raw !== undefined && digestOf(raw.bytes) !== digest) {
      throw new Failure('manifest-invalid', `Other bytes came for ${formatReference(reference)}.`);
    }
    return raw;
  }
}
