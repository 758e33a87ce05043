import type { ImageSection, ImageSource } from '../../dossier/schema.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Finding } from '../../outcome.ts';
import type { ReasonCode } from '../../reasons.ts';
import type { ImageContents } from '../../registry/registry.ts';
import { code, table } from '../../report/markdown.ts';
import type { Reuse } from '../../rules/reuse.ts';
import type { StagePlan } from '../../rules/tag-plan.ts';
import type { StepResult } from '../step.ts';
import type { Wanted } from './wanted.ts';

/** What the step has in the end: an image in the registry, or one in the engine only. */
export interface Made {
  readonly source: ImageSource;
  readonly contents?: ImageContents;
  readonly imageId?: string;
  /** Of an image that only the engine has. */
  readonly platforms?: readonly string[];
}

/** The step's answer: section, outputs and summary. */
export function answer(
  wanted: Wanted,
  plan: StagePlan,
  made: Made,
  findings: readonly Finding[],
): StepResult {
  const { contents, imageId, source } = made;
  const digest = contents?.manifest.digest;
  const platforms: Record<string, Digest> = {};
  for (const { platform, manifest } of contents?.platforms ?? []) platforms[platform] = manifest.digest;
  const names = contents === undefined ? (made.platforms ?? []) : Object.keys(platforms);
  const reasons = reasonsOf(plan, source);
  const section: ImageSection = {
    outcome: 'done',
    reasons,
    image: wanted.name,
    ...(digest === undefined ? {} : { digest }),
    ...(imageId === undefined ? {} : { imageId }),
    stagedTags: tagsOf(plan),
    source,
    pushed: plan.push,
    platforms,
    ...(wanted.recipe.digest === undefined ? {} : { recipeDigest: wanted.recipe.digest }),
    labels: contents?.platforms[0]?.labels ?? wanted.labels,
  };
  const ref = digest === undefined ? undefined : `${wanted.name}@${digest}`;
  const rows: [string, string][] = [
    ['image', ref ?? imageId ?? wanted.name],
    ['source', source],
    ['tags', tagsOf(plan).join(', ') || 'none'],
    ['platforms', names.join(', ') || "the engine's own"],
    ['recipe', wanted.recipe.digest ?? 'no digest'],
  ];
  return {
    outcome: 'done',
    reasons,
    section: { image: section },
    findings,
    outputs: {
      digest,
      'image-id': imageId,
      'staged-tags': JSON.stringify(tagsOf(plan)),
      'image-ref': ref,
      source,
      pushed: String(plan.push),
      platforms: JSON.stringify(names),
    },
    summary: table(
      ['', ''],
      rows.map(([name, value]) => [name, code(value)]),
    ),
    facts: rows,
  };
}

/** What would happen. No section: the next step must not take a plan for an image. */
export function dryRun(
  wanted: Wanted,
  plan: StagePlan,
  reuse: Reuse,
  findings: readonly Finding[],
): StepResult {
  const rows: [string, string][] = [
    ['image', wanted.name],
    ['source', reuse.source],
    ['from', 'digest' in reuse ? reuse.digest : 'the build context'],
    ['push', plan.push ? tagsOf(plan).join(', ') : `no (${plan.why})`],
    ['recipe', wanted.recipe.digest ?? 'no digest'],
  ];
  return {
    outcome: 'done',
    reasons: [reuse.source, 'not-pushed'],
    findings,
    outputs: { source: reuse.source, pushed: 'false', 'staged-tags': '[]' },
    summary: table(
      ['Plan', ''],
      rows.map(([name, value]) => [name, code(value)]),
    ),
    facts: rows,
  };
}

function reasonsOf(plan: StagePlan, source: ImageSource): readonly ReasonCode[] {
  if (plan.push) return [source];
  return plan.why === 'fork' || plan.why === 'no-credentials'
    ? ['fork-no-push', source]
    : [source, 'not-pushed'];
}

function tagsOf(plan: StagePlan): readonly string[] {
  if (!plan.push) return [];
  return [plan.stage, ...plan.extra, ...plan.moving, ...(plan.version === undefined ? [] : [plan.version])];
}
