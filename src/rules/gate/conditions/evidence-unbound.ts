import { type Condition, judgeKnown, no, pass, short } from '../condition.ts';
import type { Evidence, Sighting } from '../snapshot.ts';

/** The evidence is of this CI run, or signed by whom the policy trusts, and names recipe, version, commit, digest and harness. */
export const evidenceUnbound: Condition = {
  code: 'evidence-unbound',
  asks: 'The test is of this run or signed, and of this version, commit and digest',
  judge: ({ evidence, evidenceBy, recipe, run, candidate, images, ledger }) => {
    if (evidence === undefined) return no('there is no evidence', 'Run the step `test` before `promote`.');
    if (evidence.run !== run && evidenceBy === undefined) return no('the test was of another CI run');
    if (evidence.recipe !== recipe) return no(`the test was of the recipe ${evidence.recipe}`);
    if (evidence.version !== candidate.version) return no(`the test was of version ${evidence.version}`);
    if (evidence.commit !== candidate.commit) return no(`the test was of commit ${short(evidence.commit)}`);
    if (evidence.harness === '') return no('the test does not say which harness ran');
    const named = Object.values(evidence.subject);
    if (named.length === 0) return no('the test does not say what ran');
    if (images.length > 0 && !named.every((what) => what.includes('sha256:'))) {
      return no('the test does not name digests');
    }
    return judgeKnown(ledger, ({ sightings }) => {
      const logged = sightings.filter((seen) => seen.run === evidence.run && seen.commit === evidence.commit);
      return logged.length === 0 || logged.some((seen) => agrees(seen, evidence))
        ? pass(evidenceBy === undefined ? evidence.run : `${evidence.run}, signed by ${evidenceBy}`)
        : no('the run log has another result of this run');
    });
  },
};

/**
 * Whether a line of the run log is about this very test. Who can write in the workspace can write a dossier, but not
 * the ledger, so where the log knows the run its word counts.
 */
function agrees({ finishedAt, verdict, tiers, subject }: Sighting, evidence: Evidence): boolean {
  return (
    finishedAt === evidence.finishedAt &&
    verdict === evidence.verdict &&
    (tiers === undefined || evidence.tiers.every((tier) => tiers[tier.name] === tier.verdict)) &&
    (subject === undefined || isSame(subject, evidence.subject))
  );
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
