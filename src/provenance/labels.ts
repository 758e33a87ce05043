import { Failure } from '../outcome.ts';

export type Labels = Readonly<Record<string, string>>;

/** What the descriptive labels say; from a setting, the forge, or the remote's URL. */
export interface Description {
  readonly title?: string;
  readonly description?: string;
  readonly url?: string;
  /** Page of the repository; a `.git` at its end is taken off, because GHCR links the package by it. */
  readonly source?: string;
  readonly documentation?: string;
  readonly vendor?: string;
  readonly authors?: string;
  /** SPDX expression. */
  readonly licenses?: string;
}

export interface LabelFacts extends Description {
  /** A leading `v` is taken off, a build part kept. */
  readonly version: string;
  /** 40 hex: the candidate's commit. */
  readonly revision: string;
  /** 40 hex: what was built. */
  readonly checkout: string;
  /** Time of the commit, RFC 3339. */
  readonly created: string;
  readonly dirty: boolean;
  /** Absent for `scratch`. */
  readonly base?: LabelledBase;
  readonly recipe: LabelledRecipe;
  /** What the Dockerfile's own LABELs of the final image say; a value with variables is the builder's to fill in. */
  readonly dockerfileLabels?: Labels;
  /** Settings: to add or to replace. */
  readonly labels?: Labels;
  readonly annotations?: Labels;
}

export interface LabelledRecipe {
  readonly digest?: string;
  readonly document: string;
}

/** What the final stage stands on. */
export interface LabelledBase {
  readonly name: string;
  readonly digest?: string;
}

const OCI = 'org.opencontainers.image.';
const OWN = 'dev.knowngood.';
const RECIPE = `${OWN}recipe`;
const INPUTS = `${OWN}inputs`;
const DESCRIPTIVE = [
  'title',
  'description',
  'url',
  'source',
  'documentation',
  'vendor',
  'authors',
  'licenses',
] as const;
const COMPUTED: ReadonlySet<string> = new Set(
  ['version', 'revision', 'created', 'base.name', 'base.digest'].map((name) => OCI + name),
);

/**
 * All labels of an image, and the annotations of its index. A child image inherits what it does not set, so each
 * name of the set is in it, empty where there is nothing to say; only the Dockerfile's own LABELs stand for
 * themselves. Nothing here is about the run: one recipe, version and commit give one set. Fails with
 * `setting-invalid` where a setting would contradict what is computed.
 */
export function planLabels(facts: LabelFacts): { readonly labels: Labels; readonly annotations: Labels } {
  refuseComputed('labels', facts.labels);
  refuseComputed('annotations', facts.annotations);
  const own = facts.dockerfileLabels ?? {};
  const labels = new Map<string, string>();
  const known = new Map<string, string>();
  for (const name of DESCRIPTIVE) {
    const key = OCI + name;
    const written = own[key];
    const value = name === 'source' ? withoutGit(facts.source) : facts[name];
    if (written === undefined) labels.set(key, value ?? '');
    else if (!written.includes('$')) labels.set(key, written);
    known.set(key, labels.get(key) ?? value ?? '');
  }
  const version = facts.version.replace(/^v(?=\d)/i, '');
  const computed: [string, string][] = [
    [`${OCI}version`, version],
    [`${OCI}revision`, facts.revision],
    [`${OCI}created`, rfc3339(facts.created)],
    [`${OWN}version`, version],
    [`${OWN}revision`, facts.revision],
    [`${OWN}dirty`, String(facts.dirty)],
    [`${OWN}checkout`, facts.checkout === facts.revision ? '' : facts.checkout],
  ];
  for (const [key, value] of computed) {
    labels.set(key, value);
    known.set(key, value);
  }
  for (const [key, value] of Object.entries(facts.labels ?? {})) {
    labels.set(key, value);
    known.set(key, value);
  }
  for (const [key, value] of Object.entries(facts.annotations ?? {})) known.set(key, value);
  return {
    labels: labelsWithRecipe(Object.fromEntries(labels), facts.recipe, facts.base),
    annotations: annotationsWithRecipe(Object.fromEntries(known), facts.recipe, facts.base),
  };
}

/**
 * The labels with this recipe and this final base: build-push completes what `label` could not resolve. Where there is
 * none the names are still there, empty: a base may have been built by us too, and would speak in their place.
 */
export function labelsWithRecipe(
  labels: Labels,
  recipe: LabelledRecipe,
  base: LabelledBase | undefined,
): Labels {
  return sorted({ ...labels, ...recipeLabels(recipe, base) });
}

/** The same for annotations, which inherit nothing and so hold only what is said. */
export function annotationsWithRecipe(
  annotations: Labels,
  recipe: LabelledRecipe,
  base: LabelledBase | undefined,
): Labels {
  const all = Object.entries({ ...annotations, ...recipeLabels(recipe, base) });
  return sorted(Object.fromEntries(all.filter(([, value]) => value !== '')));
}

function recipeLabels({ digest, document }: LabelledRecipe, base: LabelledBase | undefined): Labels {
  return {
    [RECIPE]: digest ?? '',
    [INPUTS]: document,
    [`${OCI}base.name`]: base?.name ?? '',
    [`${OCI}base.digest`]: base?.digest ?? '',
  };
}

/** `https://host/owner/repo` from any spelling of a remote: without `.git`, credentials, port of ssh and query. */
export function pageOfRemote(url: string): string | undefined {
  const scp = /^(?:[^@/]+@)?([^:/@]+):(?!\/\/)([^?#]+)$/.exec(url);
  const named = scp === null ? url : `ssh://${scp[1]}/${scp[2]}`;
  let parsed: URL;
  try {
    parsed = new URL(named);
  } catch {
    return undefined;
  }
  const { protocol, hostname, port, pathname } = parsed;
  if (!['https:', 'http:', 'ssh:'].includes(protocol) || hostname === '' || pathname.length < 2)
    return undefined;
  const host = protocol === 'ssh:' || port === '' ? hostname : `${hostname}:${port}`;
  return withoutGit(`${protocol === 'http:' ? 'http' : 'https'}://${host}${pathname}`);
}

function withoutGit(url: string | undefined): string | undefined {
  return url?.replace(/\/+$/, '').replace(/\.git$/, '');
}

function refuseComputed(setting: 'labels' | 'annotations', given: Labels = {}): void {
  for (const key of Object.keys(given)) {
    if (!COMPUTED.has(key) && !key.startsWith(OWN)) continue;
    throw new Failure('setting-invalid', `\`${setting}\` cannot set ${key}: it is computed.`, {
      remedy:
        key === `${OCI}version`
          ? 'Set `version` instead.'
          : 'Leave it out; gates rely on it saying what was built.',
    });
  }
}

/** Seconds, in UTC. */
function rfc3339(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime()))
    throw new Failure('internal-error', `\`${time}\` is no time of a commit.`);
  return `${date.toISOString().slice(0, -5)}Z`;
}

function sorted(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
