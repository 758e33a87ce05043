import { join } from 'node:path';
import { parseReference } from '../../oci/reference.ts';
import type { Finding } from '../../outcome.ts';
import { checkAttestation } from '../../rules/drift/attestation.ts';
import { checkBase } from '../../rules/drift/base.ts';
import type { CheckName } from '../../rules/drift/checks.ts';
import { type Known, open } from '../../rules/drift/looked-up.ts';
import { checkMirror } from '../../rules/drift/mirror.ts';
import { checkRecipe } from '../../rules/drift/recipe.ts';
import { checkRelease } from '../../rules/drift/release.ts';
import { checkRunning } from '../../rules/drift/running.ts';
import { canonical } from './canonical.ts';
import { floating } from './floating.ts';
import { sameImage } from './look.ts';
import { pins } from './pins.ts';
import { type Checking, digestOf, ownImage, type Subject, subjectOf } from './project.ts';
import { version } from './version.ts';

/** One check: asks what it needs, and has its rule compare. */
export type Check = (checking: Checking) => Promise<readonly Finding[]>;

/** The published release of the own image, by digest. */
interface Release {
  readonly image: string;
  readonly subject: Subject;
  readonly digest: NonNullable<Subject['digest']>;
  readonly name: string;
}

/** The own image's release, `undefined` where there is none to look at. Absence is another check's finding. */
async function published(checking: Checking): Promise<Known<Release | undefined>> {
  const { project, look } = checking;
  const subject = subjectOf(project);
  const { image } = project;
  if (subject === undefined || image === undefined) return { known: undefined };
  const digest = await look.ask(() => digestOf(checking, subject));
  if ('unanswered' in digest) return digest;
  if (digest.known === undefined) return { known: undefined };
  return { known: { image, subject, digest: digest.known, name: `${image} ${subject.version}` } };
}

/** Runs a check about the published image; what it cannot be told is open, what is not there is not compared. */
function aboutImage(check: (checking: Checking, release: Release) => Promise<readonly Finding[]>): Check {
  return async (checking) => {
    const release = await published(checking);
    if ('unanswered' in release) return [open(`The image of ${checking.project.recipe}`, release)];
    return release.known === undefined ? [] : check(checking, release.known);
  };
}

const release: Check = async ({ project, look, tools, settings }) => {
  const { image, releases, branch } = project;
  const asksForge = settings.forgeToken !== undefined || settings.forgeUrl !== undefined;
  const [tags, forge] = await Promise.all([
    image === undefined
      ? undefined
      : look.ask(async () => (await tools.registry()).tags(parseReference(image))),
    asksForge && project.mirrorOf === undefined
      ? look.ask(async () =>
          (await (await tools.forge()).releases()).filter(({ draft }) => !draft).map(({ tag }) => tag),
        )
      : undefined,
  ]);
  return checkRelease({
    releases: releases.releases.map(({ version: { raw }, tag, commit }) => ({ version: raw, tag, commit })),
    ...(image === undefined || tags === undefined ? {} : { image: { name: image, tags } }),
    ...(forge === undefined ? {} : { forge }),
    branch: {
      name: branch.name,
      ahead: !releases.releases.some(({ commit }) => commit === branch.tip),
    },
  });
};

const base = aboutImage(async ({ look, tools }, { image, digest, name }) => {
  const registry = await tools.registry();
  const contents = await look.ask(() => registry.contents(ownImage(image, digest)));
  if ('unanswered' in contents) return [open(`The labels of ${name}`, contents)];
  const labels = contents.known?.platforms[0]?.labels ?? {};
  const [from, recorded] = ['name', 'digest'].map((key) => labels[`org.opencontainers.image.base.${key}`]);
  if (!from || !recorded) return [];
  const now = await look.ask(async () => {
    const reference = parseReference(from);
    // Named by digest: nothing can move.
    if (reference.digest !== undefined) return { digest: reference.digest, same: true };
    const found = await registry.resolve({ ...reference, tag: reference.tag ?? 'latest' });
    if (found === undefined) return undefined;
    const before = parseReference(`${from.split('@')[0]}@${recorded}`).digest!;
    return { digest: found.digest, same: await sameImage(registry, reference, before, found.digest) };
  });
  return checkBase({ image: name, base: { name: from, digest: recorded as Release['digest'] }, now });
});

const recipe = aboutImage(
  async ({ look, tools, settings, signal, project }, { image, digest, name, subject }) => {
    const [registry, verifying, recipes] = await Promise.all([
      tools.registry(),
      tools.verifying(),
      tools.recipes(),
    ]);
    const compared = await look.ask(async () => {
      const contents = await registry.contents(ownImage(image, digest));
      const [first, ...others] = contents?.platforms ?? [];
      const stored = first === undefined ? undefined : verifying.publishedRecipe(first.labels);
      if (first === undefined || stored === undefined) return 'none';
      const folder = join((await tools.git()).scratch, `drift-${project.recipe}-${subject.commit}`);
      const tree = await tools.layOut(subject.commit, folder);
      const enginePlatform = others.length === 0 ? { enginePlatform: first.platform } : {};
      const checkout = { folder: recipes.folderInside(tree, settings.context), ...enginePlatform };
      const answer = await recipes.compareWithCheckout(checkout, stored, signal);
      return { differing: answer.agrees ? [] : answer.differing };
    });
    return checkRecipe({ image: name, tag: subject.tag, compared });
  },
);

const running = aboutImage(async ({ look, tools, project }, { image, digest, subject }) => {
  const things = await look.ask(async () => (await tools.engine()).running(image));
  const contents = await look.ask(async () => (await tools.registry()).contents(ownImage(image, digest)));
  if ('unanswered' in contents) return [open(`The platforms of ${image}`, contents)];
  const children = contents.known?.platforms.map(({ manifest }) => manifest.digest) ?? [];
  return checkRunning({
    image,
    things,
    canonical: { version: subject.version, digests: [digest, ...children] },
    promoted: (await project.ledger?.promoted(image)) ?? [],
  });
});

const attestation = aboutImage(async ({ look, tools, log }, { image, digest, name, subject }) => {
  const policy = await tools.reviewedPolicy();
  if (policy === undefined) {
    log.info('attestation: no `policy` is set, so nothing is known of whom to believe; not checked.');
    return [];
  }
  const { verifyImage } = await tools.verifying();
  const { version: plain, commit, tag } = subject;
  const verified = await look.ask(async () => {
    const found = await verifyImage({
      registry: await tools.registry(),
      image: ownImage(image, digest),
      policy,
      expected: { version: plain.replace(/^v(?=\d)/, ''), commit, refs: [`refs/tags/${tag}`] },
    });
    if (found.answer === 'unreachable') throw found.failure;
    return { answer: found.answer, findings: found.findings };
  });
  return checkAttestation({ image: name, verified });
});

const mirror: Check = async ({ look, tools, project }) => {
  const { mirrorOf, branch, tags, recipe: name } = project;
  if (mirrorOf === undefined) return [];
  let upstream = mirrorOf;
  const compared = await look.ask(async () => {
    const theirs = await tools.historyOf(mirrorOf, branch.name);
    upstream = theirs.remote.url;
    const { tip } = theirs.branch;
    const contains = (await theirs.commit(branch.tip)) !== undefined;
    const behind = contains && (await theirs.isAncestor(branch.tip, tip));
    const commits = (list: typeof tags) =>
      new Map(list.flatMap((tag) => (tag.commit === undefined ? [] : [[tag.name, tag.commit] as const])));
    return {
      mirrorTags: commits(tags),
      upstreamTags: commits(await theirs.tags(theirs.branch, [])),
      branch: tip === branch.tip ? ('same' as const) : behind ? ('behind' as const) : ('diverged' as const),
      branchName: branch.name,
    };
  });
  return checkMirror({ recipe: name, mirror: project.history.remote.url, upstream, compared });
};

export const checks: Readonly<Record<CheckName, Check>> = {
  release,
  canonical,
  floating,
  version,
  pins,
  base,
  recipe,
  running,
  attestation,
  mirror,
};
