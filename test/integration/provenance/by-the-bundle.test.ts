import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeNotesProject, runBundle } from '../../../demo/workspace.ts';
import { gitServer } from '../../../sandbox/git-server.ts';
import { faultProxy, type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { ociIndex } from '../../../src/oci/media-types.ts';
import { parseReference, withTag } from '../../../src/oci/reference.ts';
import { type AttachedBundle, fallbackTag } from '../../../src/provenance/referrer-manifest.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { githubJob, type Job, pluginJob, type StepEnd } from '../bundle/ci-job.ts';
import { bundleOf, documentedCommands, documentedPolicy, opensslVerify, shell } from './documented.ts';
import { hastyClock, openHastyRegistry } from './real-registry.ts';

const predicates = ['https://slsa.dev/provenance/v1', 'https://knowngood.dev/predicate/recipe/v1'];

interface Pipeline {
  /** How the commands in the docs make its key. */
  readonly algorithm: string;
  readonly builder: (server: string) => string;
  readonly repository: (server: string) => string;
  readonly job: (workspace: string, env: Record<string, string>, server: string, commit: string) => Job;
}

const pipelines: Readonly<Record<string, Pipeline>> = {
  GitHub: {
    algorithm: '-algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    builder: (server) => `${server}/acme/notes/.github/workflows/release.yml`,
    repository: (server) => `${server}/notes`,
    job: (workspace, env, server, commit) =>
      githubJob('github-tag', workspace, env, {
        env: {
          GITHUB_REF: 'refs/tags/1.0.0',
          GITHUB_REF_NAME: '1.0.0',
          GITHUB_SHA: commit,
          GITHUB_SERVER_URL: server,
          GITHUB_REPOSITORY: 'notes',
          GITHUB_WORKFLOW_REF: 'acme/notes/.github/workflows/release.yml@refs/tags/1.0.0',
        },
      }),
  },
  Drone: {
    algorithm: '-algorithm ed25519',
    builder: () => 'https://drone.example.org/#release',
    repository: () => 'https://git.example.org/acme/notes',
    job: (workspace, env, server, commit) =>
      pluginJob('drone-tag', workspace, env, {
        DRONE_TAG: '1.0.0',
        DRONE_COMMIT_SHA: commit,
        DRONE_COMMIT_REF: 'refs/tags/1.0.0',
        DRONE_REMOTE_URL: `${server}/notes.git`,
        DRONE_REPO_LINK: 'https://git.example.org/acme/notes',
      }),
  },
};

describe.each(Object.entries(pipelines))('what the bundle wrote on %s', (host, pipeline) => {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-attest-'));
  let box: Sandbox;
  let job: Job;
  let built: StepEnd;
  let commit: string;
  /** `name@digest` of what was built. */
  let subject: string;
  let policy: string;

  beforeAll(async () => {
    box = await sandbox();
    const image = `${box.registry.host}/bundle${process.pid}/${host.toLowerCase()}`;
    const project = await makeNotesProject(root, { base: await box.base('busybox'), image, upTo: '1.0.0' });
    const server = await gitServer(join(root, 'remote'));
    for (const line of documentedCommands('## Signing with a key')) {
      const printed = await shell(line.replace(/-algorithm EC .*(?= -out)/, pipeline.algorithm), {
        cwd: root,
      });
      const keyid = printed.trim();
      const key = { keyid, builder: pipeline.builder(server.url) };
      policy = JSON.stringify({ keys: [key], repository: pipeline.repository(server.url), predicates });
    }
    commit = await project.repository.git('rev-parse', '1.0.0^{commit}');
    job = pipeline.job(await project.checkout('refs/tags/1.0.0'), box.env, server.url, commit);
    built = await job.step({
      step: 'label, build-push, attest',
      recipe: 'notes',
      'signing-key': readFileSync(join(root, 'key.pem'), 'utf8'),
    });
    const outputs = built.outputs;
    subject = outputs['image-ref'] ?? outputs.KNOWNGOOD_IMAGE_REF ?? '';
    return () => server.stop();
  });

  const file = (name: string): string =>
    readFileSync(join(job.workspace, 'knowngood-out/notes', name), 'utf8');
  const inRoot = { cwd: root };

  it('is signed, in the log and beside it no key', () => {
    expect(built.output).toContain('knowngood: attest done signed');
    const secret = readFileSync(join(root, 'key.pem'), 'utf8').split('\n')[1]!;
    const shown = built.output.replace(/^::add-mask::.*$/gm, '');
    expect(
      shown + built.summary + JSON.stringify(built.outputs) + file('provenance.sigstore.json'),
    ).not.toContain(secret);
  });

  it('is accepted by the commands of the docs: cosign 3 and oras, and not with another key', async () => {
    const cosign = `${await box.tool('cosign-3')} verify-attestation --allow-http-registry`;
    const oras = await box.tool('oras');
    const commands = documentedCommands('## Verifying with other tools').map((line) =>
      line
        .replace('cosign verify-attestation', cosign)
        .replace(/^oras (\w+)/, `${oras} $1 --plain-http`)
        .replace(/ghcr\.io\/acme\/hedgedoc@sha256:…/, subject),
    );
    const withKey = commands.filter((line) => line.includes('--key key.pub'));
    expect(withKey).toHaveLength(2);
    for (const [i, line] of withKey.entries()) {
      const statement = JSON.parse(
        Buffer.from(JSON.parse(await shell(line, inRoot)).payload, 'base64').toString(),
      );
      expect(statement.predicateType).toBe(predicates[i]);
      expect(statement).toEqual(
        JSON.parse(file(i === 0 ? 'provenance.statement.json' : 'recipe.statement.json')),
      );
      await shell('openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out other.pub', inRoot);
      await expect(shell(line.replace('key.pub', 'other.pub'), inRoot)).rejects.toThrow();
    }
    const listed = await shell(commands.find((line) => line.includes(' discover '))!, inRoot);
    const attestation =
      built.outputs['attestation-digest'] ?? built.outputs.KNOWNGOOD_ATTESTATION_DIGEST ?? '';
    expect(listed).toContain(attestation);
    expect(listed.match(/application\/vnd\.dev\.sigstore\.bundle\.v0\.3\+json/g)?.length).toBeGreaterThan(0);
    const pull = commands.find((line) => line.includes(' pull '))!;
    await shell(
      pull.replace(/\S+<digest of the attestation>/, `${subject.split('@')[0]}@${attestation}`),
      inRoot,
    );
    expect(readFileSync(join(root, 'attestation.sigstore.json'), 'utf8')).toBe(
      file('provenance.sigstore.json'),
    );
  });

  it("is accepted by openssl and by sigstore's own library", async () => {
    const publicKey = readFileSync(join(root, 'key.pub'), 'utf8');
    for (const name of ['provenance', 'recipe']) {
      const json = bundleOf(file(`${name}.sigstore.json`));
      expect(await opensslVerify(json, root)).toMatch(/Verified OK|Signature Verified Successfully/);
      const trust = toTrustMaterial(
        { mediaType: '', tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] },
        () => ({ publicKey: createPublicKey(publicKey) as never, validFor: () => true }),
      );
      const none = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
      new Verifier(trust, none).verify(toSignedEntity(bundleFromJSON(json)));
      const other = structuredClone(json);
      other.dsseEnvelope.payload = Buffer.from('{}').toString('base64');
      await expect(opensslVerify(other, root)).rejects.toThrow();
    }
  });

  it('names a recipe whose context anybody can hash with plain git, as in the docs', async () => {
    const { recipe } = JSON.parse(file('recipe.statement.json')).predicate;
    const copy = mkdtempSync(join(tmpdir(), 'knowngood-context-'));
    await shell(`git -C ${job.workspace} archive HEAD | tar x -C ${copy}`, inRoot);
    for (const ignored of readFileSync(join(copy, '.dockerignore'), 'utf8').split('\n').filter(Boolean))
      rmSync(join(copy, ignored));
    const commands = documentedCommands('this\nprints the id', 'label.md').join('\n');
    expect((await shell(commands, { cwd: copy })).trim()).toBe(JSON.parse(recipe.document).context);
  });

  it('is verified by a step of its own, the recipe recomputed from the checkout', async () => {
    const end = await job.step({ step: 'verify', policy, version: '1.0.0', candidate: commit });
    expect(end.output).toContain('knowngood: verify done verified');
    expect(end.output).toContain('Everything that the policy asks for is signed and agrees.');
    expect(end.output).not.toContain('Not compared');
    expect(end.code).toBe(0);
    if (host === 'GitHub') {
      expect(end.outputs).toMatchObject({ verified: 'true', 'verify-findings': '[]' });
      expect(end.summary).toContain(subject);
      for (const predicate of predicates) expect(end.summary).toContain(`| \`${predicate}\` | ✅ |`);
    }
  });

  it('is not what another version, commit or policy asks for: each is named with what was found', async () => {
    const end = await job.step({ step: 'verify', policy, version: '1.0.1', candidate: 'f'.repeat(40) });
    expect(end.lastLine).toBe('knowngood: verify refused provenance-mismatch');
    expect(end.code).toBe(1);
    for (const said of [
      'the signed ref is refs/tags/1.0.0, not refs/tags/1.0.1 or refs/tags/v1.0.1',
      'the signed version is 1.0.0, not 1.0.1',
      `the signed commit is ${commit}, not ${'f'.repeat(40)}`,
    ]) {
      expect(end.output).toContain(said);
    }
    const other = JSON.stringify({ ...JSON.parse(policy), keys: JSON.parse(documentedPolicy()).keys });
    const strangers = await job.step({ step: 'verify', policy: other });
    expect(strangers.lastLine).toBe('knowngood: verify refused attestation-missing');
    expect(strangers.output).toContain('2 by signers that the policy does not know, ignored');
    const pattern = policy.replace(/"repository":"[^"]*"/, '"repository":"https://git.example.org/.*"');
    const refused = await job.step({ step: 'verify', policy: pattern });
    expect(refused.lastLine).toBe('knowngood: verify error policy-invalid');
    expect(refused.code).toBe(2);
  });

  it('verifies for anybody in a terminal, as in the docs; outage, absence and damage end differently', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'knowngood-anybody-'));
    writeFileSync(join(cwd, 'policy.json'), policy);
    const proxy = await faultProxy(box.registry.host);
    const [line] = documentedCommands('## Verifying with knowngood');
    const verify = (reference: string) => {
      const args = line!
        .replace('ghcr.io/acme/hedgedoc:3.0.1', reference)
        .replace('--version 3.0.1', '--version 1.0.0');
      return runBundle(args.split(' ').slice(2), {
        cwd,
        env: { PATH: box.env.PATH ?? process.env.PATH ?? '' },
      });
    };
    const here = subject.replace(box.registry.host, proxy.host);
    const good = await verify(here);
    expect(good.output).toContain('knowngood: verify done verified');
    expect(good.output).toContain('Not compared: the commit (set `candidate`); the recipe (no checkout: ');
    expect(good.output).toContain(`this digest was signed as ${subject.split('@')[0]}`);
    expect(good.code).toBe(0);

    const absent = await verify(here.replace(/@.*/, ':9.9.9'));
    expect(absent).toMatchObject({
      code: 1,
      output: expect.stringContaining('verify refused source-missing'),
    });
    const cases: [Parameters<typeof proxy.fault>[0], number, string][] = [
      [
        { path: /manifests\/sha256-/, how: { status: 403 }, times: Infinity },
        2,
        'verify error registry-denied',
      ],
      [{ path: /manifests\/sha256:/, how: 'corrupt', times: Infinity }, 1, 'verify refused manifest-invalid'],
    ];
    // Tried again for a while, so once is enough.
    if (host === 'Drone')
      cases.push([{ how: { status: 503 }, times: Infinity }, 2, 'verify error registry-failed']);
    for (const [fault, code, last] of cases) {
      proxy.fault(fault);
      const end = await verify(here);
      proxy.clear();
      expect(end.output).toContain(`knowngood: ${last}`);
      expect(end.code).toBe(code);
    }
    await proxy.stop();
  });

  it('is found by drift where it was replaced by one that says something else', async () => {
    const image = parseReference(subject);
    const registry = openHastyRegistry();
    const raw = (await registry.manifest(image))!;
    await registry.putManifest(withTag(image, '1.0.0'), raw);
    const drift = { step: 'drift', checks: 'attestation', policy, recipe: 'notes' };
    const before = await job.step(drift);
    expect(before.output).toContain('VERDICT=clean');
    expect(before.lastLine).toBe('knowngood: drift done clean');
    expect(before.output).toContain('FINDINGS=0');

    // Whoever may push may write the list anew: the same signature under another statement.
    const bundles = ['provenance', 'recipe'].map((name, at): AttachedBundle => {
      const json = bundleOf(file(`${name}.sigstore.json`));
      const payload = Buffer.from(json.dsseEnvelope.payload, 'base64').toString();
      const changed = name === 'recipe' ? payload : payload.replaceAll(commit, 'f'.repeat(40));
      json.dsseEnvelope.payload = Buffer.from(changed).toString('base64');
      const spki = createPublicKey(readFileSync(join(root, 'key.pub'), 'utf8'))
        .export({ format: 'der', type: 'spki' })
        .toString('base64');
      return { bytes: Buffer.from(JSON.stringify(json)), predicateType: predicates[at]!, spki };
    });
    const list = { schemaVersion: 2, mediaType: ociIndex, manifests: [] };
    const empty = { bytes: Buffer.from(JSON.stringify(list)), mediaType: ociIndex };
    const tag = withTag(image, fallbackTag(image.digest!));
    await registry.putManifest(tag, empty);
    await attach({ registry, image, subject: image.digest!, bundles, clock: hastyClock });
    const after = await job.step(drift);
    expect(after.lastLine).toBe('knowngood: drift refused attestation-invalid');
    expect(after.code).toBe(1);
    expect(after.output).toMatch(/FINDINGS=1\nVERDICT=drift/);

    // Nothing there at all is reported, and does not fail.
    await registry.putManifest(tag, empty);
    const gone = await job.step(drift);
    expect(gone.lastLine).toBe('knowngood: drift done clean');
    expect(gone.output).toContain('attestation-missing');
  });
});
