import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { claimsOf, parseStatement } from '../../../src/provenance/claims.ts';
import { githubRun } from '../../../src/provenance/github-run.ts';
import { provenancePredicate } from '../../../src/provenance/predicates.ts';
import { fallbackTag } from '../../../src/provenance/referrer-manifest.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { predicateTypes, type Statement, statementAbout } from '../../../src/provenance/statement.ts';
import type { Verification } from '../../../src/provenance/verification.ts';
import { clock, expectNamed, image, key, look, policy, said } from './look.ts';
import { MemoryRegistry } from './memory-registry.ts';
import {
  attested,
  changed,
  commit,
  githubFacts,
  labels,
  policyOf,
  provenanceOf,
  putImage,
  recipe,
  recipeOf,
  ref,
  signedBundle,
  source,
  testResultOf,
  version,
} from './scene.ts';

describe('a changed statement', () => {
  const provenance = 'predicate.buildDefinition.';
  const regions: readonly [string, unknown, string, string][] = [
    // [what somebody changed, to what, the finding, what it names]
    ['_type', 'https://in-toto.io/Statement/v2', 'attestation-invalid', '_type'],
    ['subject.0.digest.sha256', '0'.repeat(64), 'attestation-invalid', 'other images'],
    ['subject.0.digest', {}, 'attestation-invalid', 'other images'],
    ['subject', [], 'attestation-invalid', 'subject'],
    ['predicateType', 'https://example.org/x', 'attestation-missing', 'slsa.dev/provenance'],
    ['predicate', 'x', 'attestation-invalid', 'predicate'],
    [`${provenance}buildType`, 'https://example.org/make', 'attestation-invalid', 'buildType'],
    [`${provenance}externalParameters.extra+`, 'x', 'attestation-invalid', 'extra'],
    [`${provenance}externalParameters.pipeline.extra+`, 'x', 'attestation-invalid', 'extra'],
    [`${provenance}externalParameters.pipeline.ref`, 7, 'attestation-invalid', 'ref'],
    [`${provenance}externalParameters.pipeline.repository`, 7, 'attestation-invalid', 'repository'],
    [`${provenance}externalParameters.event`, 7, 'attestation-invalid', 'event'],
    [`${provenance}resolvedDependencies`, [], 'attestation-invalid', 'resolvedDependencies'],
    [`${provenance}resolvedDependencies.0.uri`, undefined, 'attestation-invalid', 'source'],
    [
      `${provenance}resolvedDependencies.0.uri`,
      'git+https://evil.example/x@refs/tags/1',
      'provenance-mismatch',
      'repository is https://evil.example/x@refs/tags/1',
    ],
    [
      `${provenance}resolvedDependencies.0.uri`,
      'git+https://git.example.org/acme/hedgedoc-evil@refs/tags/1',
      'provenance-mismatch',
      'repository',
    ],
    [
      `${provenance}resolvedDependencies.0.uri`,
      'git+https://git.example.org/acme/hedgedoc@refs/heads/x',
      'provenance-mismatch',
      `ref is refs/heads/x, not ${ref}`,
    ],
    [
      `${provenance}resolvedDependencies.0.digest.gitCommit`,
      'f'.repeat(40),
      'provenance-mismatch',
      'commit is ff',
    ],
    [`${provenance}resolvedDependencies.0.digest`, {}, 'attestation-invalid', 'source'],
    [
      'predicate.runDetails.builder.id',
      'https://drone.example.org/#change',
      'provenance-mismatch',
      'signed builder is https://drone.example.org/#change',
    ],
    ['predicate.runDetails.builder', {}, 'attestation-invalid', 'builder.id'],
    ['predicate.runDetails.byproducts.0.digest.sha256', '0'.repeat(64), 'provenance-mismatch', 'recipe'],
    ['predicate.builder.id', 'https://drone.example.org/', 'provenance-mismatch', 'signed builder is'],
    ['subject.0.name', 7, 'attestation-invalid', 'subject.0.name'],
    ['predicate.source.uri', 'git+https://evil.example/x@refs/tags/1', 'provenance-mismatch', 'repository'],
    ['predicate.source.digest.gitCommit', 'f'.repeat(40), 'attestation-invalid', 'two commits'],
    ['predicate.version', '9.9.9', 'provenance-mismatch', 'version is 9.9.9'],
    ['predicate.revision', 'f'.repeat(40), 'attestation-invalid', 'two commits'],
    ['predicate.revision', 'abc', 'attestation-invalid', 'revision'],
    ['predicate.recipe.digest', `v1:sha256:${'0'.repeat(64)}`, 'provenance-mismatch', 'recipe'],
    ['predicate.recipe.document', '{}', 'provenance-mismatch', 'recipe'],
    ['predicate.how', 'guessed', 'attestation-invalid', 'how'],
  ];

  it.each(regions)(
    'that was signed all the same is found and named: %s',
    async (path, value, code, named) => {
      const registry = new MemoryRegistry();
      const { digest } = await attested(registry, image, key, changed(path, value));
      const answer = await look(registry, digest, { expected: { commit, refs: [ref], version, recipe } });
      expect(answer.answer).toBe(code === 'attestation-missing' ? 'missing' : 'bad');
      expect(said(answer).join()).not.toContain('..');
      expectNamed(answer, code === 'attestation-invalid' ? 'warning' : 'error', code, named);
    },
  );

  it.each(regions)('that nobody signed is found: %s', async (path, value) => {
    const registry = new MemoryRegistry();
    const { digest, platforms } = await putImage(registry, image);
    const bundles = [provenanceOf(image, platforms), recipeOf(image, platforms)].map((statement) => {
      const bundle = signedBundle(statement, key);
      const json = JSON.parse(Buffer.from(bundle.bytes).toString());
      const text = JSON.stringify(changed(path, value)(statement));
      json.dsseEnvelope.payload = Buffer.from(text).toString('base64');
      return { ...bundle, bytes: Buffer.from(JSON.stringify(json)) };
    });
    await attach({ registry, image, subject: digest, bundles, clock });
    const answer = await look(registry, digest);
    expect(answer.answer).toBe('bad');
    expectNamed(answer, 'warning', 'signature-invalid', 'the signature does not hold');
  });

  it.each([
    ['buildDefinition.externalParameters.inputs+', {}, 'inputs'],
    ['buildDefinition.externalParameters.workflow.inputs+', {}, 'inputs'],
    ['buildDefinition.externalParameters.workflow.ref', 7, 'ref'],
    ['buildDefinition.externalParameters.workflow', 'x', 'workflow'],
    ['buildDefinition.resolvedDependencies.0.digest.gitCommit', 7, 'gitCommit'],
    ['runDetails.builder.id', 7, 'builder.id'],
  ])("of GitHub's shape is found and named: %s", (path, value, named) => {
    const predicate = provenancePredicate(githubRun(githubFacts), { source, bases: [], recipe });
    const statement = statementAbout('x', [digestOf('x')], predicateTypes.provenance, predicate);
    expect(claimsOf(statement)).toMatchObject({ commit });
    expect(() => claimsOf(changed(`predicate.${path}`, value)(statement))).toThrow(
      expect.objectContaining({ code: 'attestation-invalid', message: expect.stringContaining(named) }),
    );
  });

  it('whose text two readers could read as two, or of an unknown kind, says nothing', () => {
    const twice = Buffer.from('{"_type":"a","_type":"b"}');
    expect(() => parseStatement(twice)).toThrow(
      expect.objectContaining({
        code: 'attestation-invalid',
        message: expect.stringContaining('strict JSON'),
      }),
    );
    const unknown = changed('predicateType', 'https://example.org/x')(recipeOf(image, [digestOf('x')]));
    expect(() => claimsOf(unknown)).toThrow(
      expect.objectContaining({ code: 'attestation-invalid', message: expect.stringContaining('kind') }),
    );
  });

  it('has its recipe from the entry of that name alone', () => {
    const other = changed('predicate.runDetails.byproducts.0.name', 'sbom.json')(provenanceOf(image, []));
    expect(claimsOf(other)).not.toHaveProperty('recipe');
  });

  it('is named with all that it contradicts, each with what was expected', async () => {
    const registry = new MemoryRegistry();
    const elsewhere = changed('predicate.source.uri', 'git+https://evil.example/x@refs/tags/1');
    const older = changed('predicate.version', '3.0.0');
    const { digest } = await attested(registry, image, key, (statement) => older(elsewhere(statement)));
    const { findings } = await look(registry, digest, { expected: { version } });
    expect(findings).toMatchObject([
      {
        code: 'provenance-mismatch',
        expected: policy.repository,
        found: 'https://evil.example/x@refs/tags/1',
      },
      { code: 'provenance-mismatch', expected: version, found: '3.0.0' },
    ]);
  });

  it.each([
    ['predicate.result', 'FAILED', 'provenance-mismatch', 'test result is FAILED, not PASSED'],
    ['predicate.result', 'WARNED', 'provenance-mismatch', 'test result is WARNED'],
    ['predicate.result', 'passed', 'attestation-invalid', 'result'],
    ['predicate.configuration.0.uri', 'https://drone.example.org/#change', 'provenance-mismatch', 'builder'],
    ['predicate.configuration.0.name', 'x', 'attestation-invalid', 'no builder'],
    [
      'predicate.configuration.1.uri',
      'git+https://evil.example/x@refs/tags/1',
      'provenance-mismatch',
      'repository',
    ],
    ['predicate.configuration.1.digest.gitCommit', 'f'.repeat(40), 'provenance-mismatch', 'commit'],
    ['predicate.configuration.1.name', 'x', 'attestation-invalid', 'source'],
    ['predicate.configuration.3.content', 'e30', 'attestation-invalid', 'content'],
    [
      'predicate.configuration.3.content',
      Buffer.from('{').toString('base64'),
      'attestation-invalid',
      'test result that is not strict JSON',
    ],
  ])('of a test is found and named: %s', async (path, value, code, named) => {
    const registry = new MemoryRegistry();
    const { digest, platforms } = await putImage(registry, image);
    const only = policyOf(key, { predicates: [predicateTypes.testResult] });
    const verdict = async (statement: Statement): Promise<Verification> => {
      registry.tagged.clear();
      await attach({ registry, image, subject: digest, bundles: [signedBundle(statement, key)], clock });
      return look(registry, digest, { policy: only, expected: { commit } });
    };
    expect((await verdict(testResultOf(image, platforms))).answer).toBe('verified');
    const answer = await verdict(changed(path, value)(testResultOf(image, platforms)));
    expect(answer.answer).toBe('bad');
    expectNamed(answer, code === 'attestation-invalid' ? 'warning' : 'error', code, named);
  });

  it('of a test that failed counts for who asks how it went, whatever it was', async () => {
    const registry = new MemoryRegistry();
    const { digest, platforms } = await putImage(registry, image);
    const failed = changed('predicate.result', 'FAILED')(testResultOf(image, platforms));
    await attach({ registry, image, subject: digest, bundles: [signedBundle(failed, key)], clock });
    const only = policyOf(key, { predicates: [predicateTypes.testResult] });
    const answer = await look(registry, digest, { policy: only, expected: { anyResult: true } });
    expect(answer).toMatchObject({ answer: 'verified', statements: [{ test: { result: 'FAILED' } }] });
  });

  it('that does not name the image is as good', async () => {
    const registry = new MemoryRegistry();
    const nameless = ({ subject, ...rest }: Statement): Statement => ({
      ...rest,
      subject: subject.map(({ digest }) => ({ digest })) as never,
    });
    const { digest } = await attested(registry, image, key, nameless);
    expect(await look(registry, digest)).toMatchObject({ answer: 'verified', findings: [] });
  });

  it('that names the image otherwise is told: a digest is the same image everywhere', async () => {
    const registry = new MemoryRegistry();
    const name = changed('subject.0.name', 'registry.example/other/app');
    const { digest } = await attested(registry, image, key, (statement) =>
      changed('subject.0', name(statement).subject[0])(changed('subject', [statement.subject[0]])(statement)),
    );
    const answer = await look(registry, digest);
    expect(answer.answer).toBe('verified');
    expectNamed(answer, 'info', 'attestation-odd', 'signed as registry.example/other/app');
  });
});

describe('a changed label', () => {
  it.each(Object.keys(labels))('gives another digest, for which nobody signed: %s', async (name) => {
    const registry = new MemoryRegistry();
    const { digest: was } = await attested(registry, image, key);
    const own = registry.tagged.get(fallbackTag(was))!;
    const { digest } = await putImage(registry, image, { labels: { ...labels, [name]: 'tampered' } });
    // The best that somebody without the key can do: hang what is signed about the one on the other.
    registry.tagged.set(fallbackTag(digest), own);
    const answer = await look(registry, digest);
    expect(answer.answer).toBe('bad');
    expectNamed(answer, 'warning', 'attestation-invalid', 'another subject');
    expectNamed(answer, 'error', 'attestation-missing', 'slsa.dev/provenance');
  });

  const checked = Object.keys(labels).filter((name) => /knowngood|version|revision|base/.test(name));
  it.each(checked.flatMap((name) => [[name, 'tampered'] as const, [name, undefined] as const]))(
    'contradicts, were it signed: %s, %s',
    async (name, value) => {
      const { [name]: _, ...without } = labels;
      const registry = new MemoryRegistry();
      const { digest, platforms } = await putImage(registry, image, {
        labels: value === undefined ? without : { ...labels, [name]: value },
      });
      const bundles = [provenanceOf(image, platforms), recipeOf(image, platforms)].map((it) =>
        signedBundle(it, key),
      );
      await attach({ registry, image, subject: digest, bundles, clock });
      const answer = await look(registry, digest);
      // Without a digest of its base an image is as one on scratch; without the last one, built from its commit.
      if (/base\.digest|checkout/.test(name) && value === undefined)
        return expect(answer.answer).toBe('verified');
      expect(answer.answer).toBe('bad');
      const copied = name.replace(/^dev\.knowngood\.(version|revision)$/, 'image.$1');
      expectNamed(
        answer,
        'error',
        copied === name && !/version|revision/.test(name) ? 'labels-disagree' : 'labels-inherited',
        copied,
      );
    },
  );

  it('that says that something else was checked out contradicts', async () => {
    const registry = new MemoryRegistry();
    const other = { ...labels, 'dev.knowngood.checkout': 'f'.repeat(40) };
    const { digest, platforms } = await putImage(registry, image, { labels: other });
    const bundles = [provenanceOf(image, platforms), recipeOf(image, platforms)].map((it) =>
      signedBundle(it, key),
    );
    await attach({ registry, image, subject: digest, bundles, clock });
    expectNamed(await look(registry, digest), 'error', 'labels-disagree', 'dev.knowngood.checkout');
  });

  it('may say what it will of a change that was tested: that need be no clean tree', async () => {
    const registry = new MemoryRegistry();
    const other = { ...labels, 'dev.knowngood.checkout': 'f'.repeat(40), 'dev.knowngood.dirty': 'true' };
    const { digest, platforms } = await putImage(registry, image, { labels: other });
    const bundles = [signedBundle(testResultOf(image, platforms), key)];
    await attach({ registry, image, subject: digest, bundles, clock });
    const only = policyOf(key, { predicates: [predicateTypes.testResult] });
    expect(await look(registry, digest, { policy: only })).toMatchObject({ answer: 'verified' });
  });
});
