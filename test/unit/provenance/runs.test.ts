import { describe, expect, it } from 'vitest';
import { droneRun } from '../../../src/provenance/drone-run.ts';
import { githubRun } from '../../../src/provenance/github-run.ts';
import { type Facts, repositoryPage, timeOf } from '../../../src/provenance/pipeline-run.ts';
import { woodpeckerRun } from '../../../src/provenance/woodpecker-run.ts';
import { commit, droneFacts, githubFacts, repository, woodpeckerFacts } from './scene.ts';

const only = (facts: Facts, ...names: readonly string[]): Facts =>
  Object.fromEntries(names.map((name) => [name, facts[name]!]));

describe('a run of Woodpecker', () => {
  it('is named with all that the host says', () => {
    expect(woodpeckerRun(woodpeckerFacts, 'release', '1.4.0')).toEqual({
      buildType: 'https://knowngood.dev/build-type/woodpecker-v1',
      externalParameters: {
        pipeline: { repository, ref: 'refs/tags/1.0.0', name: 'release' },
        event: 'deployment',
        deployTo: 'production',
        parent: '7',
      },
      internalParameters: {
        woodpecker: {
          pipeline_number: '8',
          workflow_number: '1',
          step_name: 'attest',
          runner: 'agent-1',
          trigger: 'ada',
        },
      },
      source: { repository, ref: 'refs/tags/1.0.0', commit },
      builder: {
        id: 'https://ci.example.org/#release',
        version: { woodpecker: '3.9.0', knowngood: '1.4.0' },
      },
      metadata: {
        invocationId: 'https://ci.example.org/repos/3/pipeline/8/1/4',
        startedOn: '2026-01-02T03:04:05Z',
      },
    });
  });

  it('is named with no more than the host says', () => {
    const facts = {
      ...only(
        woodpeckerFacts,
        'CI_REPO_URL',
        'CI_COMMIT_REF',
        'CI_COMMIT_SHA',
        'CI_PIPELINE_URL',
        'CI_PIPELINE_EVENT',
      ),
      CI_SYSTEM_URL: 'https://ci.example.org/',
      CI_PIPELINE_PARENT: '0',
      CI_WORKFLOW_NAME: '',
      CI_STEP_STARTED: '0',
    };
    expect(woodpeckerRun(facts, 'change', '1.4.0')).toStrictEqual({
      buildType: 'https://knowngood.dev/build-type/woodpecker-v1',
      externalParameters: { pipeline: { repository, ref: 'refs/tags/1.0.0' }, event: 'deployment' },
      internalParameters: { woodpecker: {} },
      source: { repository, ref: 'refs/tags/1.0.0', commit },
      builder: { id: 'https://ci.example.org/#change', version: { knowngood: '1.4.0' } },
      metadata: { invocationId: 'https://ci.example.org/repos/3/pipeline/8' },
    });
  });
});

it('a run of Drone is named with no more than the host says', () => {
  const facts = {
    ...only(droneFacts, 'DRONE_REPO_LINK', 'DRONE_COMMIT_REF', 'DRONE_COMMIT_SHA', 'DRONE_BUILD_EVENT'),
    ...only(droneFacts, 'DRONE_SYSTEM_HOST', 'DRONE_BUILD_LINK'),
    DRONE_BUILD_PARENT: '0',
    DRONE_STAGE_STARTED: 'soon',
  };
  expect(droneRun(facts, 'release', '1.4.0')).toStrictEqual({
    buildType: 'https://knowngood.dev/build-type/drone-v1',
    externalParameters: { pipeline: { repository, ref: droneFacts.DRONE_COMMIT_REF }, event: 'tag' },
    internalParameters: { drone: {} },
    source: { repository, ref: droneFacts.DRONE_COMMIT_REF, commit },
    builder: { id: 'https://drone.example.org/#release', version: { knowngood: '1.4.0' } },
    metadata: { invocationId: droneFacts.DRONE_BUILD_LINK },
  });
});

describe('a run of GitHub', () => {
  it('is named by server, repository, run and attempt', () => {
    const { GITHUB_RUN_ATTEMPT: _, ...facts } = {
      ...githubFacts,
      GITHUB_SERVER_URL: 'https://ghe.example.org/',
    };
    expect(githubRun(facts).metadata.invocationId).toBe(
      'https://ghe.example.org/acme/hedgedoc/actions/runs/77/attempts/1',
    );
    expect(githubRun({ ...facts, GITHUB_RUN_ATTEMPT: '3' }).metadata.invocationId).toMatch(/attempts\/3$/);
  });

  it.each(['release.yml', 'acme/hedgedoc/release.yml', 'acme/hedgedoc/.github/workflows/release.yml@main'])(
    'whose workflow is %s is not guessed',
    (text) => {
      expect(() => githubRun({ ...githubFacts, GITHUB_WORKFLOW_REF: text })).toThrow(
        expect.objectContaining({
          code: 'run-facts-missing',
          message: expect.stringContaining('WORKFLOW_REF'),
        }),
      );
    },
  );
});

it.each([
  [
    'github',
    githubRun,
    githubFacts,
    ['GITHUB_SERVER_URL', 'GITHUB_REPOSITORY', 'GITHUB_SHA', 'GITHUB_RUN_ID', 'GITHUB_WORKFLOW_REF'],
  ],
  [
    'drone',
    droneRun,
    droneFacts,
    ['DRONE_REPO_LINK', 'DRONE_COMMIT_REF', 'DRONE_COMMIT_SHA', 'DRONE_SYSTEM_HOST', 'DRONE_BUILD_LINK'],
  ],
  [
    'woodpecker',
    woodpeckerRun,
    woodpeckerFacts,
    ['CI_REPO_URL', 'CI_COMMIT_REF', 'CI_COMMIT_SHA', 'CI_SYSTEM_URL', 'CI_PIPELINE_URL'],
  ],
] as const)('%s: what the host does not say is not guessed', (_host, make, facts, needed) => {
  for (const name of needed) {
    const { [name]: _gone, ...rest } = facts as Record<string, string>;
    for (const lacking of [rest, { ...rest, [name]: '' }]) {
      expect(() => make(lacking, 'release', '1')).toThrow(
        expect.objectContaining({ code: 'run-facts-missing' }),
      );
    }
  }
});

it.each([
  [undefined, undefined],
  ['', undefined],
  ['0', undefined],
  ['-1', undefined],
  ['1767323045.5', undefined],
  ['999999999999999', undefined],
  ['1767323045', '2026-01-02T03:04:05Z'],
])('the time %s is %s', (seconds, time) => {
  expect(timeOf(seconds)).toBe(time);
});

it('a repository that nobody else could look at is not named', () => {
  expect(repositoryPage('git@git.example.org:acme/hedgedoc.git')).toBe(repository);
  expect(() => repositoryPage('/srv/hedgedoc.git')).toThrow(
    expect.objectContaining({ code: 'run-facts-missing', remedy: expect.stringContaining('`repository`') }),
  );
});
