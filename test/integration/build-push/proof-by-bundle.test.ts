import { describe, expect, it } from 'vitest';
import { sandbox } from '../../../sandbox/index.ts';
import type { ImageSection } from '../../../src/dossier/schema.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import { droneRun } from '../../../src/provenance/drone-run.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { predicateTypes } from '../../../src/provenance/statement.ts';
import { publishedRecipe, releaseStatements } from '../../../src/provenance/statements.ts';
import {
  droneFacts,
  newKey,
  policyOf,
  repository,
  signedBundle,
  virtualClock,
} from '../../unit/provenance/scene.ts';
import { type RunFacts, run } from './project.ts';
import { outsider } from './registry.ts';

const box = await sandbox();
const from = await box.base('busybox');
const ours = newKey();
const stranger = newKey();
const policy = policyOf(ours.key, { predicates: [predicateTypes.recipe] });

let number = 0;
const release = (): RunFacts => ({
  image: `${box.registry.host}/proof/app-${process.pid}-${number++}`,
  dockerHost: box.dockerHost,
  files: { Dockerfile: `FROM ${from}\nCOPY a.txt /\n`, 'a.txt': `${number}\n` },
  version: '1.0.0',
});

/** What the run that built this image signed about its recipe. */
async function attest(
  image: ImageSection,
  { key }: typeof ours,
  claim: { readonly recipe?: { digest: string; document: string } } = {},
): Promise<void> {
  const commit = image.labels['dev.knowngood.revision']!;
  const facts = { ...droneFacts, DRONE_COMMIT_REF: 'refs/tags/1.0.0', DRONE_COMMIT_SHA: commit };
  const statements = releaseStatements(
    droneRun(facts, 'release', '1.0.0'),
    { name: image.image, digests: [image.digest!], source: { repository, ref: 'refs/tags/1.0.0', commit } },
    { how: 'built', version: '1.0.0', recipe: claim.recipe ?? publishedRecipe(image.labels)! },
  );
  await attach({
    registry: outsider(),
    image: parseReference(image.image),
    subject: image.digest!,
    bundles: statements.map(({ statement }) => signedBundle(statement, key)),
    clock: virtualClock(),
  });
}

async function built(facts: RunFacts): Promise<ImageSection> {
  const { image, failure, log } = await run(facts);
  if (!image || failure) throw new Error(`${failure?.code} ${failure?.message}\n${log}`);
  expect(image.source).toBe('built');
  return image;
}

/** The same recipe in another run, which knows nothing but the policy; where nothing is built no engine is needed. */
const again = (facts: RunFacts, more: Partial<RunFacts> = {}) =>
  run({ ...facts, tools: () => ({ policy: async () => policy }), ...more });
const noEngine = { dockerHost: 'unix:///nowhere/docker.sock' };

describe('a bundle on an image that is there', () => {
  it('proves its recipe where a signer of the policy signed it', async () => {
    const facts = release();
    const first = await built(facts);
    await attest(first, ours);
    const { image, log } = await again(facts, noEngine);
    expect(image, log).toMatchObject({ source: 'unchanged', digest: first.digest });
  });

  it.each<[string, (image: ImageSection) => Promise<void>]>([
    ['of a stranger', (image) => attest(image, stranger)],
    [
      'about another recipe',
      (image) => attest(image, ours, { recipe: { digest: `v1:sha256:${'0'.repeat(64)}`, document: '{}' } }),
    ],
    ['that is not there', async () => undefined],
  ])('proves nothing: one %s', async (_what, sign) => {
    const facts = release();
    await sign(await built(facts));
    const { image, log } = await again(facts);
    expect(image?.source, log).toBe('built');
  });

  it('proves nothing in a pull request, whose policy is its own', async () => {
    const facts = release();
    await attest(await built(facts), ours);
    const { image, log } = await again(facts, {
      context: 'change',
      event: { kind: 'pull-request', pullRequest: { number: 7, fork: false } },
      settings: { push: 'always' },
    });
    expect(image?.source, log).toBe('built');
  });

  it('that cannot be looked for is an outage, and nothing is built over it', async () => {
    const facts = release();
    await attest(await built(facts), ours);
    const { failure } = await again(facts, {
      ...noEngine,
      tools: (tools) => ({
        policy: async () => policy,
        registry: async () => ({
          ...(await tools.registry()),
          referrers: async () => {
            throw new Failure('registry-unreachable', 'The registry does not answer.');
          },
        }),
      }),
    });
    expect(failure?.code).toBe('registry-unreachable');
  });
});
