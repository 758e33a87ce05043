import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parseReference } from '../../oci/reference.ts';
import { type Mounted, mountBind } from '../binds.ts';
import type { ComposeModel } from '../compose-model.ts';
import { mountKey } from '../compose-plan.ts';
import type { Release } from '../plan.ts';
import type { Site } from '../site.ts';

/** Services whose image is of the recipe's own repository run the release's image, whatever tag the file names. */
export async function ownImages(
  site: Site,
  model: ComposeModel,
  release: Release,
): Promise<Record<string, string>> {
  const { image } = release;
  if (image === undefined) return {};
  const services = Object.entries(model.services ?? {}).filter(([, service]) =>
    isOf(service.image, image.repository),
  );
  if (services.length === 0) return {};
  const reference = await nameOf(site, release, image.reference);
  return Object.fromEntries(services.map(([service]) => [service, reference]));
}

/** Compose takes names only: an image that was built here and not pushed gets one for the run. */
async function nameOf(site: Site, release: Release, reference: string): Promise<string> {
  if (!/^(?:sha256:)?[0-9a-f]{64}$/.test(reference)) return reference;
  const repo = site.name.name(release.role);
  site.journal.note('image', `${repo}:test`);
  await site.docker.getImage(reference).tag({ repo, tag: 'test' });
  return `${repo}:test`;
}

function isOf(image: string | undefined, repository: string): boolean {
  if (image === undefined) return false;
  try {
    const parsed = parseReference(image);
    return `${parsed.registry}/${parsed.repository}` === repository;
  } catch {
    return false;
  }
}

/** Every image before anything starts, so that a slow registry is not taken for a slow service. */
export async function pullAll(
  site: Site,
  model: ComposeModel,
  images: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const all = new Set(
    Object.entries(model.services ?? {}).flatMap(([service, { image, build }]) => {
      const reference = images[service] ?? (build === undefined ? image : undefined);
      return reference === undefined ? [] : [reference];
    }),
  );
  for (const reference of all) if (!reference.startsWith('kg-')) await site.pull(reference, signal);
}

/** Stand-ins for every bind, and for every file of a secret or config. */
export async function mountsOf(
  site: Site,
  scope: string,
  release: Release,
  model: ComposeModel,
  images: Readonly<Record<string, string>>,
  kinds: readonly ('volumes' | 'secrets' | 'configs')[],
  signal: AbortSignal,
): Promise<Map<string, Mounted>> {
  const mounts = new Map<string, Mounted>();
  for (const [service, found] of Object.entries(model.services ?? {})) {
    const image = images[service] ?? found.image;
    for (const [index, mount] of (found.volumes ?? []).entries()) {
      if (mount.type !== 'bind' || mount.source === undefined || image === undefined) continue;
      const bind = { source: mount.source, readOnly: mount.read_only === true };
      mounts.set(
        mountKey(service, 'volumes', index),
        await mountBind(site, scope, release, bind, image, signal),
      );
    }
    for (const kind of (['secrets', 'configs'] as const).filter((one) => kinds.includes(one))) {
      for (const [index, use] of (found[kind] ?? []).entries()) {
        const file = model[kind]?.[use.source]?.file;
        if (file === undefined || image === undefined) continue;
        const bind = { source: file, readOnly: true };
        mounts.set(
          mountKey(service, kind, index),
          await mountBind(site, scope, release, bind, image, signal),
        );
      }
    }
  }
  return mounts;
}

/** Services with the recipe's own image, and those that state its version in a label. */
export function ownServices(model: ComposeModel, images: Readonly<Record<string, string>>): Set<string> {
  const labelled = Object.entries(model.services ?? {}).filter(([, { labels, deploy }]) =>
    Object.keys({ ...labels, ...deploy?.labels }).some((key) => /^coop-cloud\.[^.]+\.version$/.test(key)),
  );
  return new Set([...Object.keys(images), ...labelled.map(([service]) => service)]);
}

/** Names, as the engine has them, of the networks that the target is on. */
export function networksOf(model: ComposeModel, target: string): string[] {
  const service = model.services?.[target];
  if (service?.network_mode !== undefined) return [];
  return Object.keys(service?.networks ?? {}).flatMap((key) => {
    const name = model.networks?.[key]?.name;
    return name === undefined ? [] : [name];
  });
}

/** What an application is besides its own image: the resolved model, and the files that it mounts. */
export function fingerprintOf(
  model: ComposeModel,
  folder: string,
  project: string,
  images: Readonly<Record<string, string>>,
): string {
  const hash = createHash('sha256');
  const real = realpathSync(folder);
  const plain = JSON.stringify(model, (key, value: unknown) =>
    key !== '' && Object.hasOwn(images, key) && typeof value === 'object' ? { ...value, image: '' } : value,
  );
  hash.update(plain.replaceAll(real, '').replaceAll(folder, '').replaceAll(project, ''));
  const sources = Object.values(model.services ?? {}).flatMap(({ volumes }) =>
    (volumes ?? []).flatMap(({ type, source }) => (type === 'bind' && source !== undefined ? [source] : [])),
  );
  const files = (['secrets', 'configs'] as const).flatMap((kind) =>
    Object.values(model[kind] ?? {}).flatMap((found) => found?.file ?? []),
  );
  for (const path of [...new Set([...sources, ...files])].sort()) hashFiles(hash, path);
  return hash.digest('hex');
}

function hashFiles(hash: ReturnType<typeof createHash>, path: string): void {
  const kind = lstatSync(path, { throwIfNoEntry: false });
  if (kind?.isDirectory()) {
    for (const name of readdirSync(path).sort()) {
      hash.update(`${name}\0`);
      hashFiles(hash, join(path, name));
    }
  } else if (kind?.isFile()) hash.update(readFileSync(path));
}
