import type { Candidate } from '../../../src/dossier/schema.ts';
import type { CanonicalRecord } from '../../../src/ledger/record.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { formatReference } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { TagFact } from '../../../src/rules/releases.ts';
import { readRecipeFile } from '../../../src/settings/recipe-file.ts';
import type { Settings } from '../../../src/settings/schema.ts';
import type { StepInput } from '../../../src/steps/step.ts';
import type { Tools } from '../../../src/steps/tools.ts';
import { commitOf, tag, treeOf } from '../rules/facts.ts';

export const image = 'registry.example.org/acme/notes';
export const digestFor = (text: string): Digest => digestOf(new TextEncoder().encode(text));

export interface Scene {
  readonly version: string;
  readonly tags: readonly (string | TagFact)[];
  /** knowngood.yml of the release branch. */
  readonly config?: string;
  readonly record?: Partial<CanonicalRecord>;
  /** `none`: no ledger is named; `missing`: the named one is not there; a Failure: it cannot be read. */
  readonly ledger?: 'none' | 'missing' | Failure;
  /** Tags that the registry has; absent: the recipe has no image of its own. A Failure: it does not answer. */
  readonly images?: readonly string[] | Failure;
  readonly settings?: Partial<Settings>;
  readonly candidate?: Partial<Candidate>;
  readonly context?: 'release' | 'change';
  readonly changed?: boolean;
}

/** A step's input over facts that are given, and what it said and asked for. */
export function scene(given: Scene): { input: StepInput; said: string[]; questions: string[] } {
  const said: string[] = [];
  const questions: string[] = [];
  const { images } = given;
  const answer = <T>(question: string, value: (tags: readonly string[]) => T): T => {
    questions.push(question);
    if (images instanceof Failure) throw images;
    return value(images ?? []);
  };
  const registry: Partial<Registry> = {
    resolve: async (reference) =>
      answer(formatReference(reference), (tags) => {
        const { tag: name, digest } = reference;
        const found = tags.find((one) => (digest === undefined ? one === name : digestFor(one) === digest));
        return found === undefined ? undefined : { digest: digestFor(found), mediaType: 'x' };
      }),
    tags: async () => answer('tags', (tags) => tags),
  };
  const record = given.record === undefined ? undefined : (given.record as CanonicalRecord);
  const tools: Partial<Tools> = {
    recipeFile: async () =>
      readRecipeFile(
        given.config === undefined ? undefined : new TextEncoder().encode(given.config),
        'knowngood.yml',
      ),
    upgradeFacts: async () => ({
      version: { state: 'stated', raw: given.version },
      tags: given.tags.map((entry) => (typeof entry === 'string' ? tag(entry) : entry)),
      pattern: '*',
    }),
    ledger: (async () =>
      given.ledger === 'none'
        ? undefined
        : {
            address: 'git:x#knowngood',
            read: async () => {
              if (given.ledger instanceof Failure) throw given.ledger;
              if (given.ledger === 'missing')
                throw new Failure('ledger-missing', 'There is no ledger at git:x#knowngood.');
              return { record: () => record };
            },
          }) as unknown as Tools['ledger'],
    registry: async () => registry as Registry,
    changedByCandidate: async () => given.changed ?? false,
  };
  const input = {
    settings: {
      config: 'knowngood.yml',
      tiers: ['install', 'upgrade'],
      knownBroken: [],
      maxMajorStep: 1,
      given: new Set<string>(),
      ...given.settings,
    },
    log: { info: (text: string) => said.push(text) },
    tools,
    candidate: {
      recipe: 'notes',
      commit: commitOf('the candidate'),
      checkout: commitOf('the candidate'),
      tree: treeOf('the candidate'),
      dirty: [],
      version: given.version,
      subject: images === undefined ? { kind: 'compose', images: {} } : { kind: 'image', image },
      ...given.candidate,
    },
    runContext: given.context ?? 'change',
    now: () => new Date('2026-06-15T12:00:00Z'),
  } as unknown as StepInput;
  return { input, said, questions };
}

/** A canonical record of a tag of the scene, with the image that was promoted. */
export function recordOf(version: string, promoted = version): Partial<CanonicalRecord> {
  return {
    version,
    tag: version,
    commit: commitOf(version),
    hold: null,
    subject: { kind: 'image', image, digest: digestFor(promoted), platforms: {}, tested: [] },
  };
}
