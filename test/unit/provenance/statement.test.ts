import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { claimsOf } from '../../../src/provenance/claims.ts';
import { droneRun } from '../../../src/provenance/drone-run.ts';
import { githubRun } from '../../../src/provenance/github-run.ts';
import {
  type BuiltFrom,
  provenancePredicate,
  testResultPredicate,
} from '../../../src/provenance/predicates.ts';
import {
  predicateTypes,
  type Statement,
  statementAbout,
  statementBytes,
} from '../../../src/provenance/statement.ts';
import { woodpeckerRun } from '../../../src/provenance/woodpecker-run.ts';
import { schemaFaults } from './published-schema.ts';
import {
  commit,
  droneFacts,
  githubFacts,
  key,
  recipe,
  recipeOf,
  repository,
  run,
  signedBundle,
  source,
  woodpeckerFacts,
} from './scene.ts';

const digest = digestOf('image');
const hex = digest.slice('sha256:'.length);
const image = 'ghcr.io/acme/hedgedoc';

const built: BuiltFrom = {
  source: { repository: 'https://github.com/acme/hedgedoc', ref: 'refs/tags/v1.2.3', commit },
  bases: [
    { name: 'docker.io/library/alpine:3.20', digest, platform: 'linux/amd64' },
    { name: 'ghcr.io/acme/base@sha256:'.concat('0'.repeat(64)), digest },
    { name: 'registry.example:5000/acme/base:1', digest },
  ],
  contextTree: 'a'.repeat(64),
  recipe,
};
const provenance = (of: typeof run, from: BuiltFrom): Statement =>
  statementAbout(image, [digest, digest], predicateTypes.provenance, provenancePredicate(of, from));

describe('on GitHub', () => {
  it("has exactly the shape of GitHub's own provenance, byte for byte", () => {
    const text = Buffer.from(statementBytes(provenance(githubRun(githubFacts), built))).toString();
    expect(text).toBe(
      JSON.stringify({
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ name: image, digest: { sha256: hex } }],
        predicateType: 'https://slsa.dev/provenance/v1',
        predicate: {
          buildDefinition: {
            buildType: 'https://actions.github.io/buildtypes/workflow/v1',
            externalParameters: {
              workflow: {
                ref: 'refs/tags/v1.2.3',
                repository: 'https://github.com/acme/hedgedoc',
                path: '.github/workflows/release.yml',
              },
            },
            internalParameters: {
              github: {
                event_name: 'push',
                repository_id: '1',
                repository_owner_id: '2',
                runner_environment: 'github-hosted',
              },
            },
            resolvedDependencies: [
              { uri: 'git+https://github.com/acme/hedgedoc@refs/tags/v1.2.3', digest: { gitCommit: commit } },
            ],
          },
          runDetails: {
            builder: {
              id: 'https://github.com/acme/hedgedoc/.github/workflows/release.yml@refs/tags/v1.2.3',
            },
            metadata: { invocationId: 'https://github.com/acme/hedgedoc/actions/runs/77/attempts/1' },
          },
        },
      }),
    );
  });

  it.each([
    ['a/b/.github/workflows/x.yml@refs/heads/a@b', '.github/workflows/x.yml', 'refs/heads/a@b'],
    ['a/b/.github/workflows/x@2.yml@refs/heads/main', '.github/workflows/x@2.yml', 'refs/heads/main'],
    [`a/b/.github/workflows/x.yml@${commit}`, '.github/workflows/x.yml', commit],
  ])('reads the workflow of %s, though file and ref may both hold @', (text, path, ref) => {
    const { externalParameters } = githubRun({ ...githubFacts, GITHUB_WORKFLOW_REF: text });
    expect(externalParameters).toEqual({ workflow: { ref, repository: 'https://github.com/a/b', path } });
  });

  it('takes the name of the workflow where the host, as Gitea, says no more', () => {
    const { GITHUB_WORKFLOW_REF: _gone, ...facts } = githubFacts;
    const run = githubRun({ ...facts, GITHUB_WORKFLOW: 'release.yml' });
    expect(run.externalParameters).toEqual({
      workflow: {
        ref: 'refs/tags/v1.2.3',
        repository: 'https://github.com/acme/hedgedoc',
        path: 'release.yml',
      },
    });
    expect(run.builder.id).toBe('https://github.com/acme/hedgedoc/release.yml@refs/tags/v1.2.3');
  });

  it('names the source apart where the run is of another repository or ref', () => {
    const other = {
      repository: 'https://git.example.org/mirror/plausible',
      ref: 'refs/tags/2.0.0',
      commit: 'b'.repeat(40),
    };
    const statement = provenance(githubRun(githubFacts), { ...built, source: other });
    expect(claimsOf(statement)).toMatchObject({
      source: `git+${other.repository}@${other.ref}`,
      commit: other.commit,
      builder: 'https://github.com/acme/hedgedoc/.github/workflows/release.yml@refs/tags/v1.2.3',
    });
  });
});

describe('on Drone and Woodpecker', () => {
  it('names the pipeline, the bases, the context and the recipe', () => {
    const { predicate } = provenance(run, built) as Statement<ReturnType<typeof provenancePredicate>>;
    expect(predicate.buildDefinition).toEqual({
      buildType: 'https://knowngood.dev/build-type/drone-v1',
      externalParameters: {
        pipeline: { repository, ref: 'refs/tags/3.0.1+v2.0.0', name: 'release' },
        event: 'tag',
      },
      internalParameters: {
        drone: {
          build_number: '42',
          stage_number: '1',
          step_name: 'attest',
          runner: 'runner-3',
          trigger: 'ada',
        },
      },
      resolvedDependencies: [
        { uri: `git+${repository}@refs/tags/3.0.1+v2.0.0`, digest: { gitCommit: commit } },
        {
          name: 'source',
          uri: 'git+https://github.com/acme/hedgedoc@refs/tags/v1.2.3',
          digest: { gitCommit: commit },
        },
        { uri: 'pkg:docker/alpine@3.20?platform=linux%2Famd64', digest: { sha256: hex } },
        { uri: 'pkg:docker/ghcr.io/acme/base', digest: { sha256: hex } },
        { uri: 'pkg:docker/registry.example%3A5000/acme/base@1', digest: { sha256: hex } },
        { name: 'build-context', digest: { gitTree: 'a'.repeat(64) } },
      ],
    });
    expect(predicate.runDetails).toEqual({
      builder: {
        id: 'https://drone.example.org/#release',
        version: { drone: '2.26.0', knowngood: '1.4.0' },
      },
      metadata: {
        invocationId: 'https://drone.example.org/acme/hedgedoc/42/1/4',
        startedOn: '2026-01-02T03:04:05Z',
      },
      byproducts: [{ name: 'recipe.json', digest: { sha256: recipe.slice('v1:sha256:'.length) } }],
    });
  });

  it('names no more where there is no recipe', () => {
    const { predicate } = provenance(run, { source, bases: [] }) as Statement<
      ReturnType<typeof provenancePredicate>
    >;
    expect(predicate.buildDefinition.resolvedDependencies).toStrictEqual([
      { uri: `git+${repository}@${source.ref}`, digest: { gitCommit: commit } },
    ]);
    expect(predicate.runDetails).not.toHaveProperty('byproducts');
  });

  it('names the source apart where the ref is the same and the commit is not', () => {
    const moved = { ...source, commit: 'b'.repeat(40) };
    expect(claimsOf(provenance(run, { source: moved, bases: [] }))).toMatchObject({
      commit: moved.commit,
      sourceIsPipelines: false,
    });
    expect(claimsOf(provenance(run, { source, bases: [] })).sourceIsPipelines).toBe(true);
  });

  it('names no build by one id for releases and changes', () => {
    const ids = [droneRun, woodpeckerRun].map((make) => {
      const facts = make === droneRun ? droneFacts : woodpeckerFacts;
      return [make(facts, 'release', '1').builder.id, make(facts, 'change', '1').builder.id];
    });
    expect(ids).toEqual([
      ['https://drone.example.org/#release', 'https://drone.example.org/#change'],
      ['https://ci.example.org/#release', 'https://ci.example.org/#change'],
    ]);
  });

  it('names no user of a repository address', () => {
    const facts = { ...droneFacts, DRONE_REPO_LINK: 'https://ada:secret@git.example.org/acme/hedgedoc.git' };
    expect(droneRun(facts, 'release', '1').source.repository).toBe(repository);
  });

  it('keeps what a promoted build was promoted from', () => {
    const facts = {
      ...droneFacts,
      DRONE_BUILD_EVENT: 'promote',
      DRONE_BUILD_PARENT: '41',
      DRONE_DEPLOY_TO: 'production',
    };
    expect(droneRun(facts, 'release', '1').externalParameters).toMatchObject({
      deployTo: 'production',
      parent: '41',
    });
  });
});

describe('a test result', () => {
  const tiers = [
    { name: 'install', verdict: 'pass' },
    { name: 'upgrade', verdict: 'na' },
    { name: 'backup', verdict: 'fail' },
  ] as const;
  const statement = statementAbout(
    image,
    [digest],
    predicateTypes.testResult,
    testResultPredicate(run, {
      verdict: 'red',
      tiers,
      source,
      recipe,
      url: 'https://drone.example.org/1',
      details: { verdict: 'red', run: 'drone-1' },
    }),
  );

  it('lists what passed and failed, and claims nothing of what did not apply', () => {
    expect(statement.predicate).toMatchObject({
      result: 'FAILED',
      passedTests: ['install'],
      failedTests: ['backup'],
    });
  });

  it('names no recipe and no page where there is none', () => {
    const bare = testResultPredicate(run, { verdict: 'green', tiers: [], source, details: {} });
    expect(bare.configuration.map(({ name }) => name)).toEqual(['builder', 'source', 'test']);
    expect(bare).not.toHaveProperty('url');
    expect(bare.result).toBe('PASSED');
  });

  it('names who tested what', () => {
    expect(claimsOf(statement)).toMatchObject({
      builder: run.builder.id,
      commit,
      result: 'FAILED',
      details: { verdict: 'red', run: 'drone-1' },
    });
  });
});

describe('the published schemas', () => {
  const statements: readonly [string, Statement, string | undefined][] = [
    ['GitHub', provenance(githubRun(githubFacts), built), 'provenance.v1.Provenance'],
    ['Drone', provenance(run, built), 'provenance.v1.Provenance'],
    [
      'Woodpecker',
      provenance(woodpeckerRun(woodpeckerFacts, 'release', '1.4.0'), built),
      'provenance.v1.Provenance',
    ],
    [
      'a test result',
      statementAbout(
        image,
        [digest],
        predicateTypes.testResult,
        testResultPredicate(run, {
          verdict: 'green',
          tiers: [],
          source,
          recipe,
          url: 'https://x.example',
          details: { verdict: 'green' },
        }),
      ),
      'test_result.v0.TestResult',
    ],
    ['a recipe', recipeOf(parseReference(image), [digest]), undefined],
  ];
  it.each(statements)('%s', (_name, statement, predicate) => {
    const file = 'in_toto_attestation/v1/statement.proto';
    expect(schemaFaults([file], 'in_toto_attestation.v1.Statement', statement)).toEqual([]);
    if (predicate === undefined) return;
    const files = [
      'in_toto_attestation/predicates/provenance/v1/provenance.proto',
      'in_toto_attestation/predicates/test_result/v0/test_result.proto',
    ];
    expect(schemaFaults(files, `in_toto_attestation.predicates.${predicate}`, statement.predicate)).toEqual(
      [],
    );
  });

  it('take the bundle', () => {
    const bundle = signedBundle(provenance(run, built), key);
    const json: unknown = JSON.parse(Buffer.from(bundle.bytes).toString());
    expect(schemaFaults(['sigstore_bundle.proto'], 'dev.sigstore.bundle.v1.Bundle', json)).toEqual([]);
  });

  it('notice what is wrong', () => {
    const statement = { ...provenance(run, built), subjects: [], subject: [{ digest: { sha256: 1 } }] };
    expect(
      schemaFaults(['in_toto_attestation/v1/statement.proto'], 'in_toto_attestation.v1.Statement', statement),
    ).toEqual(['.subject.0.digest.sha256: no string', '.subjects: not in .in_toto_attestation.v1.Statement']);
  });
});
