import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { droneRun } from '../../../src/provenance/drone-run.ts';
import { readPolicy } from '../../../src/provenance/policy.ts';
import { predicateTypes } from '../../../src/provenance/statement.ts';
import { reasons } from '../../../src/reasons.ts';
import { stepOutputs } from '../../../src/settings/outputs.ts';
import { settingsTable } from '../../../src/settings/schema.ts';
import { droneFacts } from '../provenance/scene.ts';

const folder = join(import.meta.dirname, '../../../docs');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** The fenced block of this language that follows the marker. */
function block(text: string, marker: string, language: string): string {
  const after = text.slice(text.indexOf(marker));
  return new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(after)![1]!;
}

/** Inputs of actions/attest v4 (its action.yml). */
const attestInputs = [
  'subject-path',
  'subject-digest',
  'subject-name',
  'subject-checksums',
  'subject-version',
  'sbom-path',
  'predicate-type',
  'predicate',
  'predicate-path',
  'push-to-registry',
  'create-storage-record',
  'show-summary',
  'github-token',
];

interface Workflow {
  readonly jobs: {
    readonly release: {
      readonly permissions: Record<string, string>;
      readonly steps: readonly { uses: string; id?: string; if?: string; with: Record<string, string> }[];
    };
  };
}

describe('the keyless workflow in the docs', () => {
  const { release } = (parse(block(read('provenance.md'), 'example: github/keyless', 'yaml')) as Workflow)
    .jobs;
  const ours = release.steps.filter(({ uses }) => uses.startsWith('knowngood/'));
  const signing = release.steps.filter(({ uses }) => uses.startsWith('actions/attest@'));

  it('uses settings and inputs that exist', () => {
    for (const step of ours) {
      for (const name of Object.keys(step.with)) expect(Object.keys(settingsTable)).toContain(name);
    }
    for (const step of signing)
      for (const name of Object.keys(step.with)) expect(attestInputs).toContain(name);
    expect([ours.length, signing.length]).toEqual([2, 2]);
  });

  it('uses outputs that the build step has', () => {
    const outputs = [...JSON.stringify(signing).matchAll(/steps\.build\.outputs\.([a-z-]+)/g)].map(
      (match) => match[1]!,
    );
    expect(outputs.length).toBeGreaterThan(0);
    for (const name of outputs) expect(Object.keys(stepOutputs['build-push'])).toContain(name);
  });

  it('signs after attest and before promote, with the identity token', () => {
    const order = release.steps.map(({ uses, with: given }) => given?.step ?? uses.split('@')[0]);
    expect(order).toEqual([
      'actions/checkout',
      'label, build-push, attest',
      'actions/attest',
      'actions/attest',
      'step-back, test, promote',
    ]);
    expect(release.permissions).toMatchObject({
      'id-token': 'write',
      attestations: 'write',
      packages: 'write',
    });
  });

  it('takes the predicate where attest writes it', () => {
    const own = signing[1]!.with;
    expect(own['predicate-type']).toBe(predicateTypes.recipe);
    expect(own['predicate-path']).toBe(`knowngood-out/${ours[0]!.with.recipe}/recipe.predicate.json`);
  });
});

it('verify in the docs is asked for by settings that exist', () => {
  const page = read('provenance.md').slice(read('provenance.md').indexOf('## Verifying with knowngood'));
  const [step, settings] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => parse(match[1]!));
  const given = [
    ...Object.keys(step[0].with),
    ...Object.keys(settings.settings).map((name) => name.replaceAll('_', '-')),
    ...[.../node dist.*/.exec(page)![0].matchAll(/--([a-z-]+)/g)].map((match) => match[1]!),
    ...['version', 'candidate', 'release-branch'],
  ];
  expect(given.length).toBeGreaterThan(10);
  for (const name of given) expect(Object.keys(settingsTable)).toContain(name);
});

it('the findings in the docs are those that verifying has', () => {
  const rows = [...read('provenance.md').matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|/gm)].flatMap((match) =>
    match[1]!.replaceAll('`', '').split(', '),
  );
  expect(rows).toEqual(
    expect.arrayContaining(['attestation-odd', 'provenance-mismatch', 'labels-inherited']),
  );
  for (const code of rows) expect(Object.keys(reasons)).toContain(code);
});

it('the policy in the docs is one', () => {
  const policy = readPolicy(block(read('provenance.md'), '## Verifying with knowngood', 'json'));
  expect(policy.predicates).toEqual([predicateTypes.provenance, predicateTypes.recipe]);
  const identity = /`(\{ "san".*?\})`/.exec(read('provenance.md'))![1]!;
  const { keys: _, ...keyless } = { ...policy, identities: [JSON.parse(identity)], 'trusted-root': {} };
  expect(readPolicy(JSON.stringify(keyless)).identities).toHaveLength(1);
});

it('the build type names every external parameter that there is', () => {
  const facts = { ...droneFacts, DRONE_DEPLOY_TO: 'x', DRONE_BUILD_PARENT: '1' };
  const { pipeline, ...others } = droneRun(facts, 'release', '1').externalParameters as Record<
    string,
    object
  >;
  const names = [...Object.keys(pipeline!).map((name) => `pipeline.${name}`), ...Object.keys(others)];
  for (const page of ['build-type/drone-v1.md', 'build-type/woodpecker-v1.md']) {
    for (const name of names)
      expect(read(page)).toMatch(new RegExp(`\`(externalParameters\\.)?${name.replace('.', '\\.')}\``));
  }
});
