import { digestOf } from '../oci/digest.ts';
import { type Finding, finding } from '../outcome.ts';
import type { Claims } from './claims.ts';
import { readInputs } from './recipe-inputs.ts';
import type { PublishedRecipe } from './verification.ts';

type Labels = Readonly<Record<string, string>>;

const OCI = 'org.opencontainers.image.';
const OWN = 'dev.knowngood.';

/**
 * Whether the labels are this image's own: a child image inherits its base's labels, version and revision among
 * them, but not a copy in our namespace of something it never was built as.
 */
export function inherited(labels: Labels): readonly string[] {
  return ['version', 'revision'].filter((name) => labels[OCI + name] !== labels[OWN + name]);
}

/** The recipe as the labels have it. A recipe without a digest has an empty label, so that none is inherited. */
export function publishedRecipe(labels: Labels): PublishedRecipe | undefined {
  const digest = labels[`${OWN}recipe`] ?? '';
  const document = labels[`${OWN}inputs`] ?? '';
  const revision = labels[`${OWN}revision`];
  if (digest === '' || document === '') return undefined;
  return { digest, document, ...(revision === undefined ? {} : { revision }) };
}

/** Whether the base in the labels is one of the recipe's; a final stage on `scratch` has none. */
function namesItsBase(labels: Labels, document: string): boolean {
  const [name, digest] = [labels[`${OCI}base.name`] ?? '', labels[`${OCI}base.digest`] ?? ''];
  if (digest === '') return true;
  // The label has no digest where the Dockerfile has tag and digest; the recipe has both.
  return readInputs(document).bases.some(
    (base) => base.digest === digest && (base.name === name || base.name.startsWith(`${name}@`)),
  );
}

/** Findings about one platform's labels: inherited, contradicting themselves, or contradicting what was signed. */
export function labelFindings(platform: string, labels: Labels, signed: readonly Claims[]): Finding[] {
  const findings: Finding[] = [];
  const compare = (name: string, expected: string | undefined, from: string): void => {
    const found = labels[name];
    if (expected === undefined || found === expected) return;
    const message = `${platform}: the label ${name} contradicts ${from}.`;
    findings.push(
      finding('labels-disagree', 'error', message, { expected, found: found ?? 'no such label' }),
    );
  };
  const ours = Object.keys(labels).some((name) => name.startsWith(OWN));
  if (!ours && signed.every((claims) => claims.recipe === undefined)) {
    // Built without us and signed all the same: the one label that must not lie is the commit.
    const revision = `${OCI}revision`;
    for (const { commit } of signed)
      if (labels[revision] !== undefined) compare(revision, commit, 'the signed commit');
    return findings;
  }
  const foreign = inherited(labels);
  if (foreign.length > 0) {
    const names = foreign.map((name) => OCI + name).join(' and ');
    return [
      finding(
        'labels-inherited',
        'error',
        `${platform}: ${names} differ from our own copies, or there are none.`,
      ),
    ];
  }
  const recipe = publishedRecipe(labels);
  if (recipe !== undefined) {
    compare(`${OWN}recipe`, `v1:${digestOf(recipe.document)}`, `the recipe document in ${OWN}inputs`);
    if (!namesItsBase(labels, recipe.document)) {
      const message = `${platform}: ${OCI}base.name and ${OCI}base.digest are no base of the recipe document.`;
      findings.push(finding('labels-disagree', 'error', message));
    }
  }
  // A release is signed only where the tree is the tagged commit, so these say that something else was built.
  if (signed.some(({ result }) => result === undefined)) {
    compare(`${OWN}dirty`, 'false', 'the signed statement: it is about a clean tree');
    if ((labels[`${OWN}checkout`] ?? '') !== '') {
      compare(`${OWN}checkout`, '', 'the signed statement: it is about the commit that was checked out');
    }
  }
  for (const claims of signed) {
    compare(`${OWN}version`, claims.version, 'the signed version');
    compare(`${OWN}revision`, claims.commit, 'the signed commit');
    compare(`${OWN}recipe`, claims.recipe, 'the signed recipe');
    compare(`${OWN}inputs`, claims.document, 'the signed recipe document');
  }
  return findings.filter((one, i) => findings.findIndex((other) => other.message === one.message) === i);
}
