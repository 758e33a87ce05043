/** The four kinds of manifest that exist in practice; anything else (schema 1 above all) is refused. */
export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';
export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
export const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';

export type ImageMediaType = typeof ociManifest | typeof dockerManifest;
export type IndexMediaType = typeof ociIndex | typeof dockerList;
export type ManifestMediaType = ImageMediaType | IndexMediaType;

/** In the order in which we ask for them. */
export const manifestMediaTypes: readonly ManifestMediaType[] = [
  ociIndex,
  ociManifest,
  dockerList,
  dockerManifest,
];

export const ociConfig = 'application/vnd.oci.image.config.v1+json';
export const dockerConfig = 'application/vnd.docker.container.image.v1+json';

export function isImageMediaType(text: string): text is ImageMediaType {
  return text === ociManifest || text === dockerManifest;
}

export function isIndexMediaType(text: string): text is IndexMediaType {
  return text === ociIndex || text === dockerList;
}

/** Whether a config of this type describes a container image, and not some other artifact. */
export function isImageConfig(mediaType: string): boolean {
  return mediaType === ociConfig || mediaType === dockerConfig;
}

/** A `Content-Type` without its parameters, in lower case; `''` where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
}
