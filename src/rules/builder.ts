import { Failure } from '../outcome.ts';

/** The settings that decide what builds. */
export interface BuilderFacts {
  readonly asked: 'auto' | 'engine' | 'buildx';
  readonly secrets: boolean;
  readonly ssh: boolean;
  readonly cacheTo: boolean;
  readonly cacheFrom: readonly string[];
}

/**
 * What builds: the Engine API, unless a setting needs what only `docker buildx` can do. Fails with
 * `setting-invalid` where the API was asked for and cannot do it.
 */
export function chooseBuilder(facts: BuilderFacts): {
  readonly builder: 'engine' | 'buildx';
  readonly because: readonly string[];
} {
  const because = [
    ...(facts.secrets ? ['secrets'] : []),
    ...(facts.ssh ? ['ssh'] : []),
    ...(facts.cacheTo ? ['cache-to'] : []),
    // `type=gha` and its kin; the API takes names of images only.
    ...(facts.cacheFrom.some((source) => /^\s*type=/.test(source) || source.includes(','))
      ? ['cache-from']
      : []),
  ];
  if (facts.asked === 'buildx') return { builder: 'buildx', because: ['builder'] };
  if (because.length === 0) return { builder: 'engine', because };
  if (facts.asked === 'auto') return { builder: 'buildx', because };
  const names = because.map((name) => `\`${name}\``).join(', ');
  throw new Failure(
    'setting-invalid',
    `The Engine API cannot do what ${names} ask${because.length === 1 ? 's' : ''} for.`,
    {
      remedy: 'Set `builder` to `buildx` or `auto`.',
    },
  );
}
