/**
 * A pattern for paths as a person writes it: `*` and `?` within one name, `**` over folders, `{a,b}` for either. The
 * form is that of glob(7) with `**` of bash's globstar. Matches whole paths, relative and with `/`.
 */
export function pathPattern(pattern: string): RegExp {
  const plain = pattern.replace(/^\.\//, '').replace(/\/$/, '/**');
  let source = '';
  let depth = 0;
  for (let at = 0; at < plain.length; at++) {
    const char = plain[at]!;
    if (plain.startsWith('**/', at)) {
      source += '(?:[^/]+/)*';
      at += 2;
    } else if (plain.startsWith('**', at)) {
      source += '.*';
      at += 1;
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '{' && plain.includes('}', at)) {
      source += '(?:';
      depth += 1;
    } else if (char === '}' && depth > 0) {
      source += ')';
      depth -= 1;
    } else if (char === ',' && depth > 0) source += '|';
    else source += char.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  }
  return new RegExp(`^${source}${')'.repeat(depth)}$`, 's');
}

/** Whether a pattern is a path of one file. */
export function isLiteral(pattern: string): boolean {
  return !/[*?{}]/.test(pattern) && !pattern.endsWith('/');
}

/** The files that usually name images, where nobody says which ones do. */
export const usualPins: readonly string[] = [
  '**/{compose,docker-compose}*.{yml,yaml}',
  '**/{Dockerfile,Containerfile}',
  '**/{Dockerfile,Containerfile}.*',
  '**/*.{Dockerfile,dockerfile,Containerfile}',
  '.env',
  '.{github,gitea,forgejo}/workflows/*.{yml,yaml}',
  'action.{yml,yaml}',
  '.drone.{yml,yaml}',
  '.woodpecker.{yml,yaml}',
  '.woodpecker/**/*.{yml,yaml}',
  '**/values*.{yml,yaml}',
  '**/kustomization.{yml,yaml}',
  '{deploy,deployment,deployments,k8s,kubernetes,manifests}/**/*.{yml,yaml}',
];

/** Folders in which the usual files are other people's or nobody's: read only where a pattern names them. */
export const unusualFolders: ReadonlySet<string> = new Set([
  'node_modules',
  'vendor',
  'third_party',
  'test',
  'tests',
  'testdata',
  'fixtures',
  '__fixtures__',
  'examples',
]);
