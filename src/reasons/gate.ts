import { failure, good, refusal, skip } from './reason.ts';

/** Codes of the gate, of the ledger, and of `promote`, `rollback` and `hold`. */
export const gate = {
  promoted: good('The release is canonical now.'),
  'already-canonical': skip('The release is canonical already, and all its tags are right.'),
  soaking: skip('The release has not been known for long enough.', 'Run again after `eligible-at`.'),
  'concurrent-promotion': skip('Another run is promoting this recipe.', 'Run again when it has ended.'),
  'not-green': refusal('A required tier did not pass.', 'Look at the test report.'),
  'tier-na-undeclared': refusal(
    'A tier was not applicable, and nobody declared that for this version.',
    'Add an `expected-na` entry for this version on the release branch.',
  ),
  'not-cold': refusal('The run reused data or caches.', 'Run the test cold.'),
  'not-latest': refusal('A newer stable release exists.', 'Release the newest one.'),
  'not-enrolled': refusal(
    'The recipe is not enrolled.',
    'Set `enrolled: true` on the release branch and list it in the fleet.',
  ),
  'commit-tag-mismatch': refusal(
    'The tested commit is not the commit of the tag.',
    'Check out the tag and test that.',
  ),
  'tree-dirty': refusal('The tested tree is not the commit.', 'Test a clean checkout.'),
  'tag-moved': refusal(
    'The tag has moved since it was first seen.',
    'Release the new commit under a new version.',
  ),
  'commit-not-on-branch': refusal(
    'The commit is not on the release branch.',
    'Merge it, or name the branch in `releases`.',
  ),
  'label-tag-mismatch': refusal(
    'The version in the tree is not the version of the tag.',
    'Raise the version in the tree, then tag.',
  ),
  'would-demote': refusal('The canonical is newer.', 'Use `rollback` to go back.'),
  'digest-mismatch': refusal(
    'The digest to be tagged is not the one that was tested.',
    'Run build-push, test and promote over one dossier.',
  ),
  'platform-missing': refusal(
    'A required platform is missing in the image.',
    'Build it for all required platforms.',
  ),
  'platform-untested': refusal(
    'A required platform was not tested.',
    'Test it, or do not require all platforms.',
  ),
  'evidence-unbound': refusal(
    'The evidence is neither of this run nor signed, or of another commit or digest.',
    'Run the test in the same CI run, or `attest` after it and set `policy`.',
  ),
  'evidence-untrusted': refusal(
    'The test ran code that could have written its own evidence.',
    'Run the commands contained.',
  ),
  'evidence-stale': skip('The evidence is too old.', 'Run the test again.'),
  'evidence-from-change': refusal(
    'The evidence is of a change, not of a release.',
    'Run on the release tag.',
  ),
  'evidence-superseded': refusal('A later test of the same commit failed.', 'Find out why, then test again.'),
  held: refusal('The version is held.', 'Lift the hold, or release a newer version.'),
  'signature-missing': refusal('A required signature is missing.', 'Run attest with `signing: key`.'),
  'signature-invalid': refusal('A signature does not verify.', 'Find out who wrote it; do not promote.'),
  'provenance-mismatch': refusal('The provenance contradicts the release.', 'Find out why; do not promote.'),
  'require-lowered': refusal(
    'Less is required now than for the last promotion.',
    'Name the code in `require` to accept that.',
  ),
  'recipe-owner-mismatch': refusal(
    'The recipe name belongs to another repository or image.',
    'Choose another recipe name.',
  ),
  'ledger-missing': failure('There is no ledger yet.', 'Set `ledger-init: true` once to create it.'),
  'ledger-not-durable': failure(
    'A ledger in the workspace is forgotten with it.',
    'Use a `git:` ledger, or a folder that survives the job.',
  ),
  'ledger-unavailable': failure(
    'The ledger could not be read or written.',
    'Check its address and credentials, then try again.',
  ),
  'ledger-busy': failure('The ledger was written by others for too long.', 'Try again.'),
  'ledger-invalid': failure(
    'The ledger setting is not valid.',
    'Use `git:<remote>#<branch>` or `file:<folder>`.',
  ),
  'recipe-name-invalid': failure(
    'The name of the recipe is not valid.',
    'Use lower-case letters, digits, `.`, `_` and `-`, at most 64, beginning and ending with a letter or digit.',
  ),
  'intent-invalid': failure(
    'A promotion under way claims a longer lease than any promotion has.',
    'Find out who wrote it; remove `intent.json` of the recipe from the ledger by hand.',
  ),
  'record-corrupt': failure(
    'A record in the ledger is damaged.',
    'Restore it from the history of the ledger.',
  ),
  'record-untrusted': failure(
    'The audit trail of the ledger is broken.',
    'Find out who changed it; restore it from its history.',
  ),
  'record-too-new': failure('The ledger was written by a newer knowngood.', 'Update knowngood.'),
  'rolled-back': good('An earlier release is canonical again.'),
  'hold-set': good('The version is held.'),
  'hold-lifted': good('The hold is lifted.'),
  'canonical-missing': failure(
    'Nothing was promoted yet, so there is nothing to roll back from or to hold.',
    'Promote a release first, or name the version under `known-broken` in knowngood.yml.',
  ),
  'rollback-target-unknown': refusal(
    'There is no such earlier promotion to go back to.',
    'Name in `to` a version that was promoted before.',
  ),
  'hold-absent': skip('There is no such hold.'),
} as const;
