import { parseReference } from '../oci/reference.ts';
import type { Failure } from '../outcome.ts';
import { showProgress } from '../report/progress.ts';
import { chooseBuilder } from '../rules/builder.ts';
import { decideReuse, type Reuse } from '../rules/reuse.ts';
import { isVersionTag, planStage, type StagePlan } from '../rules/tag-plan.ts';
import { isTrustedCommit } from '../rules/trusted-commit.ts';
import { answer, dryRun, type Made } from './build-push/answer.ts';
import { buildWithEngine, platformBuilds } from './build-push/build-images.ts';
import { buildWithBuildx } from './build-push/build-with-buildx.ts';
import { type Look, lookForImages, rememberBuilt } from './build-push/look.ts';
import { contentsOf, pushBuilds } from './build-push/push-builds.ts';
import { moveTag, putReleasedTag } from './build-push/put.ts';
import { relabel } from './build-push/relabel.ts';
import { type Wanted, wantedImage } from './build-push/wanted.ts';
import { whatChanged } from './build-push/what-changed.ts';
import type { Step, StepInput } from './step.ts';

/** Builds the image and stages it under a tag that nobody pulls, or finds the same recipe already there. */
export const step: Step = {
  name: 'build-push',
  about: 'candidate',
  needs: () => ['label'],
  async run(input) {
    const { candidate, settings } = input;
    if (candidate.subject.kind === 'compose') {
      const skipped = { outcome: 'skipped', reasons: ['no-own-image'] } as const;
      return { ...skipped, outputs: {}, section: { image: skipped } };
    }
    const plan = await stagePlan(input, candidate.subject.image);
    const wanted = await wantedImage(input, candidate.subject.image);
    const look = await looked(input, wanted, plan);
    const reuse = decideReuse(
      {
        labels: wanted.labels,
        canRelabel: plan.push,
        ...(wanted.recipe.digest === undefined ? {} : { recipeDigest: wanted.recipe.digest }),
        ...(look.adoptableCommit === undefined ? {} : { adoptableCommit: look.adoptableCommit }),
      },
      look.found,
      look.proofs,
    );
    await tell(input, wanted, reuse);
    const findings = [...wanted.findings, ...look.findings];
    if (settings.dryRun) return dryRun(wanted, plan, reuse, findings);
    const made = await carryOut(input, wanted, plan, reuse, look);
    return answer(wanted, plan, await putTags(input, wanted, plan, made), findings);
  },
};

async function stagePlan(input: StepInput, imageName: string): Promise<StagePlan> {
  const { settings, event, candidate, runContext, tools } = input;
  // Which branch is the release branch, the configuration may say.
  const pushed = event.kind === 'push' ? event.branch : undefined;
  const number = event.pullRequest?.number ?? settings.pullRequest;
  const image = parseReference(imageName);
  const facts = {
    runContext,
    onReleaseBranch: pushed !== undefined && pushed === (await tools.releaseBranch()).name,
    candidateGiven: settings.candidate !== undefined || settings.pullRequest !== undefined,
    commit: candidate.commit,
    push: settings.push,
    publish: settings.publish,
    tags: settings.tags,
    ...(candidate.version === undefined ? {} : { version: candidate.version }),
    ...(event.pullRequest || number !== undefined
      ? {
          pullRequest: {
            fork: event.pullRequest?.fork ?? false,
            ...(number === undefined ? {} : { number }),
          },
        }
      : {}),
  };
  const plan = planStage({ ...facts, credentials: true });
  // Asked only where it matters: a fork, or an event that pushes nothing, asks no registry for a login.
  if (!plan.push || (await tools.registryCredential(image.registry))) return plan;
  return planStage({ ...facts, credentials: await (await tools.registry()).isOpen(image) });
}

/** Where nothing of ours can be asked for, nothing is looked at: a fork's run has no login and tries none. */
async function looked(input: StepInput, wanted: Wanted, plan: StagePlan): Promise<Look> {
  const { settings, log } = input;
  const nothing: Look = { found: [], contents: new Map(), proofs: [], findings: [] };
  if (!settings.skipUnchanged) return nothing;
  if (plan.push) return lookForImages(input, wanted);
  if (plan.why === 'fork' || plan.why === 'no-credentials') return nothing;
  return lookForImages(input, wanted).catch((failure: Failure) => {
    // Nothing is pushed and nothing released here: what cannot be looked up is built.
    if (failure.code === 'cancelled') throw failure;
    log.info(`Earlier images could not be looked at: ${failure.message}`);
    return nothing;
  });
}

async function tell(input: StepInput, wanted: Wanted, reuse: Reuse): Promise<void> {
  const { log } = input;
  if (reuse.source !== 'built') {
    const how = {
      unchanged: 'The same recipe with the same labels is there already',
      relabelled: 'The same recipe is there already, and gets new labels',
      adopted: 'An image from before knowngood names this commit',
    }[reuse.source];
    log.info(`${how}: ${reuse.digest} (${reuse.place}).`);
    return;
  }
  for (const { found, why } of reuse.refused)
    log.info(`${found.digest} (${found.place}) is not reused: ${why}.`);
  const changed = await whatChanged(
    input,
    wanted,
    reuse.refused.map(({ found }) => found),
  );
  if (changed.length > 0) log.info(`What is different from there: ${changed.join(', ')}.`);
}

async function carryOut(
  input: StepInput,
  wanted: Wanted,
  plan: StagePlan,
  reuse: Reuse,
  look: Look,
): Promise<Made> {
  if (reuse.source !== 'built') {
    const contents = look.contents.get(reuse.digest)!;
    if (reuse.source !== 'relabelled' || !plan.push) return { source: reuse.source, contents };
    const relabelled = await relabel(input, wanted, contents, plan.stage);
    rememberBuilt(input.tools, relabelled.manifest.digest, wanted.recipe.digest);
    return { source: 'relabelled', contents: relabelled };
  }
  const { settings, log, host, tools, candidate, runContext } = input;
  const { builder, because } = chooseBuilder({
    asked: settings.builder,
    secrets: Object.keys(settings.secrets).length > 0,
    ssh: settings.ssh.length > 0,
    cacheTo: settings.cacheTo.length > 0,
    cacheFrom: settings.cacheFrom,
  });
  if (builder === 'buildx') log.info(`Building with buildx, because of ${because.join(', ')}.`);
  if (runContext === 'release' && settings.cacheFrom.length > 0) {
    log.info('`cache-from` is left out: a release is built from nothing that other runs can write.');
  }
  if (sharesEngine(input)) {
    log.info(
      'Anybody may have written this commit, and this engine builds it. If it builds releases too, set `docker-host` to another one for such builds.',
    );
  }
  const stage = plan.push ? plan.stage : `local-${candidate.commit.slice(0, 12)}`;
  const builds = platformBuilds(settings.platforms, stage);
  const progress = showProgress({ log, host, now: tools.clock.now });
  try {
    const built =
      builder === 'buildx'
        ? await buildWithBuildx(input, wanted, builds, { tag: stage, push: plan.push }, progress.take)
        : { local: await buildWithEngine(input, wanted, builds, progress.take) };
    const imageId = 'local' in built ? built.local[0]?.imageId : undefined;
    const id = imageId === undefined ? {} : { imageId };
    if (!plan.push) {
      const own = settings.platforms.length > 0 ? [] : [(await (await tools.engine()).info()).platform];
      return { source: 'built', ...id, platforms: [...settings.platforms, ...own] };
    }
    const contents =
      'local' in built
        ? await pushBuilds(input, wanted, built.local, stage, progress.take)
        : await contentsOf(await tools.registry(), wanted.image, built.pushed);
    rememberBuilt(tools, contents.manifest.digest, wanted.recipe.digest);
    return { source: 'built', contents, ...id };
  } finally {
    progress.end();
  }
}

/** Whether what a stranger builds here may meet a release on the same engine; GitHub's own machines are new each time. */
function sharesEngine({ event, settings, runContext }: StepInput): boolean {
  const given = settings.candidate !== undefined || settings.pullRequest !== undefined;
  const fork = event.pullRequest?.fork === true;
  return event.run.runner !== 'github-hosted' && !isTrustedCommit({ runContext, fork, given });
}

/** The tags of the plan, each at what was made; the exact version last, since that is what people believe. */
async function putTags(input: StepInput, { image }: Wanted, plan: StagePlan, made: Made): Promise<Made> {
  const { contents } = made;
  if (!plan.push || contents === undefined) return made;
  await moveTag(input, image, plan.stage, contents.manifest);
  for (const tag of plan.extra) {
    if (input.settings.allowOverwrite && !isVersionTag(tag))
      await moveTag(input, image, tag, contents.manifest);
    else await putReleasedTag(input, image, tag, contents);
  }
  for (const tag of plan.moving) await moveTag(input, image, tag, contents.manifest);
  if (plan.version === undefined) return made;
  const digest = await putReleasedTag(input, image, plan.version, contents);
  if (digest === contents.manifest.digest) return made;
  const registry = await input.tools.registry();
  return { ...made, contents: await contentsOf(registry, image, digest) };
}
