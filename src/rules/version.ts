/**
 * A release version, `[v]MAJOR.MINOR.PATCH[-prerelease][+build]`, taken apart. Numbers are kept as text without
 * leading zeros: they are unbounded. `raw` is how it was written, and what is shown.
 */
export interface Version {
  readonly raw: string;
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  readonly prerelease: readonly string[];
  /** The version of what the release packages; absent is lower than any. */
  readonly build?: Build;
}

interface Build {
  readonly main: readonly Run[];
  /** What follows the first `-`; a build without it is higher. */
  readonly suffix?: readonly Run[];
}

/** A run of digits, without leading zeros, or of letters. */
interface Run {
  readonly digits: boolean;
  readonly text: string;
}

const NUMBER = '(?:0|[1-9][0-9]*)';
/** Semantic Versioning 2.0.0 with an optional leading `v`. */
const VERSION = new RegExp(
  `^v?(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})` +
    `(?:-((?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\\.(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*))?` +
    '(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?$',
);
/** Far above any version; keeps a hostile tag from costing time. */
const LONGEST = 1024;

/** The version in this text; `undefined` where it is none (`1.2`, `1.13.4_1`, `latest`). Never throws. */
export function parseVersion(raw: string): Version | undefined {
  if (raw.length > LONGEST) return undefined;
  const match = VERSION.exec(raw);
  if (match === null) return undefined;
  const [, major, minor, patch, prerelease, build] = match;
  return {
    raw,
    major: major!,
    minor: minor!,
    patch: patch!,
    prerelease: prerelease?.split('.') ?? [],
    ...(build === undefined ? {} : { build: parseBuild(build) }),
  };
}

function parseBuild(text: string): Build {
  const plain = text.startsWith('v') ? text.slice(1) : text;
  const dash = plain.indexOf('-');
  if (dash < 0) return { main: runsOf(plain) };
  return { main: runsOf(plain.slice(0, dash)), suffix: runsOf(plain.slice(dash + 1)) };
}

function runsOf(text: string): Run[] {
  return [...text.matchAll(/[0-9]+|[A-Za-z]+/g)].map(([run]) =>
    /^[0-9]/.test(run) ? { digits: true, text: run.replace(/^0+(?=.)/, '') } : { digits: false, text: run },
  );
}

/**
 * Orders two versions: negative where `a` is older. Recipe version first, by SemVer precedence; then, unlike
 * SemVer, the build, because it names the upstream version that the release packages (`3.0.1+v2.0.0`). npm's
 * semver cannot do this: `compare` ignores the build, and `compareBuild` puts `+v2.0.0` above `+v10.0.0`.
 */
export function compareVersions(a: Version, b: Version): number {
  return compareRecipeVersions(a, b) || compareBuilds(a.build, b.build);
}

/** As `compareVersions`, without the build. */
export function compareRecipeVersions(a: Version, b: Version): number {
  return (
    compareNumbers(a.major, b.major) ||
    compareNumbers(a.minor, b.minor) ||
    compareNumbers(a.patch, b.patch) ||
    comparePrereleases(a.prerelease, b.prerelease)
  );
}

/** Whether both are one version, in whatever spelling. */
export function sameVersion(a: Version, b: Version): boolean {
  return compareVersions(a, b) === 0;
}

/** A text that is equal for exactly the spellings of one version: for maps. */
export function versionKey(version: Version): string {
  const { major, minor, patch, prerelease, build } = version;
  const runs = (list: readonly Run[]): string => list.map((run) => run.text).join('.');
  const tail =
    build === undefined ? '' : `+${runs(build.main)}${build.suffix ? `-${runs(build.suffix)}` : ''}`;
  return `${major}.${minor}.${patch}${prerelease.length > 0 ? `-${prerelease.join('.')}` : ''}${tail}`;
}

export function isPrerelease(version: Version): boolean {
  return version.prerelease.length > 0;
}

/** Whether both have the same MAJOR.MINOR.PATCH. */
export function sameCore(a: Version, b: Version): boolean {
  return a.major === b.major && a.minor === b.minor && a.patch === b.patch;
}

/** SemVer 11: none is higher than any; numbers below letters; on a tie the longer list is higher. */
function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length - a.length);
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [x, y] = [a[index]!, b[index]!];
    const [xn, yn] = [/^[0-9]+$/.test(x), /^[0-9]+$/.test(y)];
    const order = xn && yn ? compareNumbers(x, y) : xn !== yn ? (xn ? -1 : 1) : compareText(x, y);
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

function compareBuilds(a: Build | undefined, b: Build | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return compareRuns(a.main, b.main) || compareSuffixes(a.suffix, b.suffix);
}

function compareSuffixes(a: readonly Run[] | undefined, b: readonly Run[] | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return compareRuns(a, b);
}

function compareRuns(a: readonly Run[], b: readonly Run[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [x, y] = [a[index]!, b[index]!];
    const order =
      x.digits && y.digits
        ? compareNumbers(x.text, y.text)
        : x.digits !== y.digits
          ? x.digits
            ? -1
            : 1
          : compareText(x.text, y.text);
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

/** Orders texts of digits without leading zeros as the numbers they are, however long. */
function compareNumbers(a: string, b: string): number {
  return Math.sign(a.length - b.length) || compareText(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
