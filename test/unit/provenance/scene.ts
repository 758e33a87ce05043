import { generateKeyPairSync } from 'node:crypto';
import type { Clock } from '../../../src/http/clock.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { makeImageManifest, makeIndex } from '../../../src/oci/manifest-bytes.ts';
import { ociConfig } from '../../../src/oci/media-types.ts';
import { type Reference, repositoryName, withDigest } from '../../../src/oci/reference.ts';
import { bundleBytes } from '../../../src/provenance/bundle.ts';
import { droneRun } from '../../../src/provenance/drone-run.ts';
import { readSigningKey, type SigningKey } from '../../../src/provenance/key.ts';
import { planLabels } from '../../../src/provenance/labels.ts';
import type { Policy } from '../../../src/provenance/policy.ts';
import {
  provenancePredicate,
  recipePredicate,
  testResultPredicate,
} from '../../../src/provenance/predicates.ts';
import type { AttachedBundle } from '../../../src/provenance/referrer-manifest.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { signEnvelope } from '../../../src/provenance/sign.ts';
import {
  PAYLOAD_TYPE,
  predicateTypes,
  type Statement,
  statementAbout,
  statementBytes,
} from '../../../src/provenance/statement.ts';
import type { Registry } from '../../../src/registry/registry.ts';

export const commit = '0123456789abcdef0123456789abcdef01234567';
export const version = '3.0.1+v2.0.0';
export const base = { name: 'docker.io/library/alpine:3.20', digest: digestOf('alpine') };
export const document = JSON.stringify({
  bases: [{ digest: base.digest, reference: base.name }],
  buildArgs: {},
  context: 'c'.repeat(64),
  dockerfile: { digest: digestOf('FROM alpine:3.20'), path: 'Dockerfile' },
  kind: 'image',
  labels: {},
  platforms: [],
  schema: 'knowngood/recipe/v1',
});
export const recipe = `v1:${digestOf(document)}`;
export const repository = 'https://git.example.org/acme/hedgedoc';
export const ref = 'refs/tags/3.0.1+v2.0.0';

export const droneFacts = {
  DRONE_REPO_LINK: repository,
  DRONE_COMMIT_REF: ref,
  DRONE_COMMIT_SHA: commit,
  DRONE_BUILD_EVENT: 'tag',
  DRONE_BUILD_NUMBER: '42',
  DRONE_BUILD_LINK: `https://drone.example.org/acme/hedgedoc/42`,
  DRONE_BUILD_TRIGGER: 'ada',
  DRONE_BUILD_PARENT: '0',
  DRONE_STAGE_NAME: 'release',
  DRONE_STAGE_NUMBER: '1',
  DRONE_STAGE_MACHINE: 'runner-3',
  DRONE_STAGE_STARTED: '1767323045',
  DRONE_STEP_NAME: 'attest',
  DRONE_STEP_NUMBER: '4',
  DRONE_SYSTEM_PROTO: 'https',
  DRONE_SYSTEM_HOST: 'drone.example.org',
  DRONE_SYSTEM_VERSION: '2.26.0',
};
export const githubFacts = {
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'acme/hedgedoc',
  GITHUB_REPOSITORY_ID: '1',
  GITHUB_REPOSITORY_OWNER_ID: '2',
  GITHUB_REF: 'refs/tags/v1.2.3',
  GITHUB_SHA: commit,
  GITHUB_EVENT_NAME: 'push',
  GITHUB_WORKFLOW_REF: 'acme/hedgedoc/.github/workflows/release.yml@refs/tags/v1.2.3',
  GITHUB_RUN_ID: '77',
  GITHUB_RUN_ATTEMPT: '1',
  RUNNER_ENVIRONMENT: 'github-hosted',
};

export const woodpeckerFacts = {
  CI_REPO_URL: repository,
  CI_COMMIT_REF: 'refs/tags/1.0.0',
  CI_COMMIT_SHA: commit,
  CI_COMMIT_AUTHOR: 'ada',
  CI_PIPELINE_EVENT: 'deployment',
  CI_PIPELINE_NUMBER: '8',
  CI_PIPELINE_URL: 'https://ci.example.org/repos/3/pipeline/8',
  CI_PIPELINE_PARENT: '7',
  CI_PIPELINE_DEPLOY_TARGET: 'production',
  CI_WORKFLOW_NAME: 'release',
  CI_WORKFLOW_NUMBER: '1',
  CI_STEP_NAME: 'attest',
  CI_STEP_NUMBER: '4',
  CI_STEP_STARTED: '1767323045',
  CI_MACHINE: 'agent-1',
  CI_SYSTEM_URL: 'https://ci.example.org',
  CI_SYSTEM_VERSION: '3.9.0',
};

export const builder = 'https://drone.example.org/#release';
export const run = droneRun(droneFacts, 'release', '1.4.0');
export const source = { repository, ref, commit };

export const key = readSigningKey(
  generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
);

/** The complete set, as `label` makes it. */
export const { labels } = planLabels({
  title: 'hedgedoc',
  source: repository,
  version,
  revision: commit,
  checkout: commit,
  created: '2026-01-02T03:04:05Z',
  dirty: false,
  base,
  recipe: { digest: recipe, document },
});

export function newKey(type: 'ed25519' | 'ec' = 'ed25519'): {
  pem: string;
  publicPem: string;
  key: SigningKey;
} {
  const pair =
    type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const pem = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  const publicPem = pair.publicKey.export({ format: 'pem', type: 'spki' }) as string;
  return { pem, publicPem, key: readSigningKey(pem) };
}

/** Time passes only by sleeping; the same seed gives the same chances. */
export function virtualClock(seed = 1): Clock {
  let time = 0;
  let state = seed;
  return {
    now: () => time,
    sleep: async (ms) => {
      time += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
    random: () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    },
  };
}

/** Puts an image (or an index over two) with these labels into the registry. */
export async function putImage(
  registry: Registry,
  image: Reference,
  options: {
    labels?: Readonly<Record<string, string>>;
    /** Where platforms have not all the same labels. */
    labelsOf?: (architecture: string) => Readonly<Record<string, string>>;
    platforms?: readonly string[];
    salt?: string;
  } = {},
): Promise<{ digest: Digest; platforms: Digest[] }> {
  const layer = Buffer.from(`layer ${options.salt ?? ''}`);
  await registry.putBlob(image, digestOf(layer), layer);
  const children = [];
  for (const architecture of options.platforms ?? ['amd64']) {
    const config = Buffer.from(
      JSON.stringify({
        architecture,
        os: 'linux',
        config: { Labels: options.labelsOf?.(architecture) ?? options.labels ?? labels },
        rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      }),
    );
    await registry.putBlob(image, digestOf(config), config);
    const made = makeImageManifest({
      config: { mediaType: ociConfig, digest: digestOf(config), size: config.length },
      layers: [
        { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(layer), size: layer.length },
      ],
    });
    await registry.putManifest(withDigest(image, made.digest), made);
    children.push({ ...made.descriptor, platform: { os: 'linux', architecture } });
  }
  const platforms = children.map((child) => child.digest);
  if (children.length === 1) return { digest: platforms[0]!, platforms };
  const index = makeIndex({ manifests: children });
  await registry.putManifest(withDigest(image, index.digest), index);
  return { digest: index.digest, platforms };
}

export function provenanceOf(image: Reference, digests: readonly Digest[]): Statement {
  const built = { source, bases: [], recipe };
  return statementAbout(
    repositoryName(image),
    digests,
    predicateTypes.provenance,
    provenancePredicate(run, built),
  );
}

export function recipeOf(image: Reference, digests: readonly Digest[]): Statement {
  const made = {
    source,
    version,
    revision: commit,
    recipe: { digest: recipe, document },
    how: 'built',
  } as const;
  return statementAbout(repositoryName(image), digests, predicateTypes.recipe, recipePredicate(run, made));
}

export function testResultOf(image: Reference, digests: readonly Digest[]): Statement {
  const tiers = [{ name: 'install', verdict: 'pass' }] as const;
  return statementAbout(
    repositoryName(image),
    digests,
    predicateTypes.testResult,
    testResultPredicate(run, { verdict: 'green', tiers, source, recipe, details: {} }),
  );
}

export function signedBundle(statement: Statement, key: SigningKey): AttachedBundle {
  const envelope = signEnvelope(PAYLOAD_TYPE, statementBytes(statement), key);
  return {
    bytes: bundleBytes(envelope, key.publicKey.keyid),
    predicateType: statement.predicateType,
    spki: key.publicKey.spki,
  };
}

export function policyOf(key: SigningKey, more: Partial<Policy> = {}): Policy {
  return {
    keys: [{ keyid: key.publicKey.keyid, builder }],
    identities: [],
    repository,
    predicates: [predicateTypes.provenance, predicateTypes.recipe],
    ...more,
  };
}

/** An image with both statements, signed and attached: what verifies unless somebody changes something. */
export async function attested(
  registry: Registry,
  image: Reference,
  key: SigningKey,
  change: (statement: Statement) => Statement = (statement) => statement,
): Promise<{ digest: Digest; referrers: readonly Digest[] }> {
  const { digest, platforms } = await putImage(registry, image);
  const about = [digest, ...platforms];
  const bundles = [provenanceOf(image, about), recipeOf(image, about)].map((statement) =>
    signedBundle(change(statement), key),
  );
  const { referrers } = await attach({ registry, image, subject: digest, bundles, clock: virtualClock() });
  return { digest, referrers };
}

/**
 * A statement with something changed at a path before it was signed: what a stolen or careless key could say. A path
 * that the statement does not have changes nothing, unless it ends with `+`.
 */
export function changed(path: string, value: unknown): (statement: Statement) => Statement {
  return (statement) => {
    const copy = JSON.parse(JSON.stringify(statement));
    let at = copy;
    const keys = path.split('.');
    for (const name of keys.slice(0, -1)) {
      if (at[name] === undefined) return statement;
      at = at[name];
    }
    const last = keys.at(-1)!;
    if (at[last] === undefined && !path.endsWith('+')) return statement;
    at[last.replace('+', '')] = value;
    return copy;
  };
}
