import type { Candidate, Subject, TestSection } from '../../dossier/schema.ts';
import { isDigest } from '../../oci/digest.ts';
import { parseReference, repositoryName } from '../../oci/reference.ts';
import { Failure } from '../../outcome.ts';
import type { PromotedSubject } from '../../promotion/snapshot-taker.ts';
import type { Evidence } from '../../rules/gate/snapshot.ts';
import type { Tools } from '../tools.ts';

/**
 * The test section as evidence, as a promotion reads it and `attest` signs it: the one thing that is taken from the
 * dossier. Whether it counts is the gate's to say; what has not even its form fails with `evidence-unbound`.
 */
export function evidenceOf(
  test: TestSection,
  { readEvidence }: Pick<Awaited<ReturnType<Tools['promotion']>>, 'readEvidence'>,
): Evidence {
  const { recipe, version, commit, harness, run, context, verdict, cold, commands, base, effect } = test;
  const evidence = readEvidence({
    recipe,
    version,
    commit,
    harness,
    run,
    context,
    verdict,
    cold,
    commands,
    subject: ran(test.subject),
    testedPlatforms: test.subject?.kind === 'image' ? (test.subject.tested ?? []) : [],
    tiers: test.tiers,
    ...(base === undefined ? {} : { base }),
    ...(effect === undefined ? {} : { effect }),
    startedAt: test.startedAt,
    finishedAt: test.finishedAt,
  });
  if (evidence === undefined)
    throw new Failure('evidence-unbound', 'The dossier has no test result that can be read.');
  return evidence;
}

/** Digest by image, or reference by compose service. */
function ran(subject: Subject | undefined): Record<string, string> {
  if (subject?.kind === 'compose') return { ...subject.images };
  if (subject?.kind !== 'image' || subject.digest === undefined) return {};
  return { [subject.image]: subject.digest };
}

/**
 * What is promoted: the candidate's own image under the digest that was tested, or the compose application with the
 * images that ran. Which image that is, the candidate says, and not the dossier.
 */
export function promotedSubject({ subject }: Candidate, evidence: Evidence | undefined): PromotedSubject {
  const tested = evidence?.subject ?? {};
  if (subject.kind === 'compose') return { kind: 'compose', images: tested, own: [] };
  const image = repositoryName(parseReference(subject.image));
  const digest = tested[image];
  return { kind: 'image', image, digest: digest !== undefined && isDigest(digest) ? digest : undefined };
}
