import type { StepName } from './schema.ts';

/** Outputs of every step. */
export const commonOutputs: Readonly<Record<string, string>> = {
  outcome: '`done`, `skipped`, `refused` or `error`.',
  reason: 'First reason code.',
  reasons: 'All reason codes, as a JSON array.',
  dossier: 'Path of the dossier.',
};

/** Outputs of each step besides; part of the contract. */
export const stepOutputs: Readonly<Record<StepName, Readonly<Record<string, string>>>> = {
  label: {
    version: 'Version of the candidate.',
    revision: 'Commit that the labels name.',
    'recipe-digest': 'Digest over everything that goes into the build, `v1:sha256:…`.',
    labels: 'The full label set, as a JSON object.',
    annotations: 'Index annotations, as a JSON object.',
    'from-name': "Final stage's base image.",
    'from-digest': 'What it resolved to.',
  },
  'build-push': {
    digest: 'Digest of the image or index in the registry.',
    'image-id': "The engine's id of the image that was built.",
    'staged-tags': 'Tags that were pushed, as a JSON array.',
    'image-ref': '`name@digest`.',
    source: '`built`, `relabelled`, `unchanged` or `adopted`.',
    pushed: '`true` or `false`.',
    platforms: 'Platforms of the image, as a JSON array.',
  },
  attest: {
    statement: 'Path of the in-toto statement.',
    bundle: 'Path of the Sigstore bundle.',
    'attestation-digest': 'Digest of the attestation manifest.',
  },
  verify: {
    verified: '`true` or `false`.',
    'verify-findings': 'What was found, as a JSON array.',
  },
  'step-back': {
    decision: '`run`, `na` or `skip`.',
    'upgrade-base-version': 'Version of the upgrade base.',
    'upgrade-base-tag': 'Its git tag.',
    'upgrade-base-commit': 'Its commit.',
    'upgrade-base-ref': 'Its image, `name@digest`.',
    notes: 'Notes beside the answer, as a JSON array.',
    rejected: 'Rejected tags with their reasons, as a JSON array.',
    'without-pin': 'The answer without the pin, as JSON.',
  },
  test: {
    verdict: '`green`, `red` or `inconclusive`.',
    tiers: 'Result of each tier by its name, as a JSON object.',
    logs: 'Folder of the logs.',
  },
  promote: {
    promoted: '`true` or `false`.',
    gate: 'Every condition with its verdict, as a JSON array.',
    'canonical-version': 'Version of the canonical now.',
    'canonical-digest': 'Digest of the canonical now.',
    sequence: "Number of the canonical's record.",
    'eligible-at': 'When a temporary refusal ends.',
    'published-tags': 'Tags on the promoted digest, as a JSON array.',
  },
  rollback: {
    promoted: '`true` or `false`.',
    gate: 'Every condition with its verdict, as a JSON array.',
    'canonical-version': 'Version of the canonical now.',
    'canonical-digest': 'Digest of the canonical now.',
    sequence: "Number of the canonical's record.",
    'eligible-at': 'When a temporary refusal ends.',
    'published-tags': 'Tags on the promoted digest, as a JSON array.',
  },
  hold: { held: '`true` or `false`.' },
  drift: {
    'drift-verdict': '`clean`, `drift` or `error`.',
    'drift-findings': 'All findings, as a JSON array.',
    sarif: 'Path of the SARIF file.',
  },
  testme: {
    accepted: '`true` or `false`.',
    sha: 'Commit to test.',
    'pull-request': 'Number of the pull request.',
    arguments: 'Arguments of the comment, as a JSON object.',
    trusted: 'Whether the author of the pull request may see secrets.',
  },
  report: { 'comment-url': 'Address of the comment.' },
  sweep: {
    results: 'Path of the results, one JSON line a recipe.',
    board: 'Path of the HTML board, where one is asked for.',
    matrix: 'Job matrices, as a JSON array of `{ include: [...] }`.',
    promoted: 'Number of recipes promoted.',
    red: 'Number of red recipes.',
    inconclusive: 'Number of inconclusive recipes.',
    gated: 'Number of recipes that the gate refused.',
    skipped: 'Number of recipes skipped.',
    deferred: 'Number of recipes deferred.',
    errors: 'Number of recipes in error.',
  },
};
