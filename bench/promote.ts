import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type Image, makeImage } from '../sandbox/image.ts';
import { sandbox } from '../sandbox/index.ts';
import { digestOf } from '../src/oci/digest.ts';
import { promoteRelease } from '../src/promotion/promote.ts';
import { inputFor, makeWorld, openTools, release, type World } from '../test/integration/promotion/world.ts';
import { type Comparison, comparison, program, sideBySide } from './measure.ts';

const megabyte = 1_000_000;
const rounds = 5;

/** Bytes that no registry and no engine can make smaller, in layers of at most 125 MB. */
async function imageOf(megabytes: number): Promise<Image> {
  const layers = Math.max(1, Math.ceil(megabytes / 125));
  return makeImage(
    Array.from({ length: layers }, (_, index) => [
      { path: `data${index}`, content: randomBytes((megabytes / layers) * megabyte) },
    ]),
  );
}

/** The same layers under another version: nothing of them is pushed again. */
function relabelled(image: Image, labels: Readonly<Record<string, string>>): Image {
  const config = JSON.parse(image.config.bytes.toString('utf8'));
  const bytes = Buffer.from(JSON.stringify({ ...config, config: { ...config.config, Labels: labels } }));
  const manifest = JSON.parse(image.manifest.toString('utf8'));
  manifest.config = { ...manifest.config, digest: digestOf(bytes), size: bytes.length };
  const text = Buffer.from(JSON.stringify(manifest));
  return {
    ...image,
    digest: digestOf(text),
    manifest: text,
    config: { digest: digestOf(bytes), bytes },
  };
}

/**
 * Promotion of an image of 1 GB beside that of 1 MB: it moves manifests only, so the size must not matter. And beside
 * what people do without it: pull, tag and push again.
 */
export async function bench(): Promise<Comparison[]> {
  const box = await sandbox();
  const worlds: World[] = [];
  try {
    const sizes = { small: await imageOf(1), large: await imageOf(1000) };
    const next = async (size: keyof typeof sizes, world: World, version: string): Promise<void> => {
      await release(world, version, {
        image: (commit) =>
          relabelled(sizes[size], {
            'org.opencontainers.image.version': version,
            'org.opencontainers.image.revision': commit,
          }),
      });
    };
    const promoter = async (size: keyof typeof sizes): Promise<() => Promise<void>> => {
      const world = await makeWorld(box.registry.host, 'git');
      worlds.push(world);
      let round = 0;
      await next(size, world, '1.0.0');
      return async () => {
        const version = `1.0.${round++}`;
        const { answer, gate } = await promoteRelease(inputFor(world, version), openTools(world));
        if (answer !== 'promoted') throw new Error(`${version} was not promoted: ${gate.failing.join(', ')}`);
      };
    };
    const [large, small] = [await promoter('large'), await promoter('small')];
    const prepare = async (index: number): Promise<void> => {
      const [first, second] = worlds as [World, World];
      await next('large', first, `1.0.${index}`);
      await next('small', second, `1.0.${index}`);
    };
    const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as [number, number];
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await prepare(round);
      const [a, b] = await sideBySide(1, large, small);
      least[0] = Math.min(least[0], a);
      least[1] = Math.min(least[1], b);
    }

    const docker = await box.tool('docker');
    const { image, releases } = worlds[0]!;
    const env = { ...box.env, DOCKER_HOST: box.dockerHost };
    const names = ['by-hand', 'by-hand-1', 'by-hand-1.0', 'by-hand-latest'].map((tag) => `${image}:${tag}`);
    const reference = `${image}@${releases['1.0.0']!.digest}`;
    const start = performance.now();
    program(docker, ['pull', '-q', reference], env);
    for (const name of names) {
      program(docker, ['tag', reference, name], env);
      program(docker, ['push', '-q', name], env);
    }
    const byHand = performance.now() - start;
    program(docker, ['rmi', '-f', reference, ...names], env);
    return [
      comparison('promote: 1 GB beside 1 MB', least[0], least[1], 1.3),
      comparison('promote: 1 GB beside docker pull, tag, push', least[0], byHand, 0.5),
    ];
  } finally {
    for (const { scratch } of worlds) rmSync(scratch, { recursive: true, force: true });
    await box.stop();
  }
}
