import { isMap, isPair, isScalar, isSeq, LineCounter, parse, parseAllDocuments } from 'yaml';
import { Failure } from '../outcome.ts';
import type { StatedVersion } from '../rules/step-back.ts';

/** One place that states a version, for people and for the drift checks. Line and column are 1-based. */
export interface VersionPlace {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly value: string;
}

/** `coop-cloud.<stack>.version`, never `coop-cloud.<stack>.chaos-version`. */
const COMPOSE_LABEL = /^coop-cloud\.[^=]+\.version$/;

/**
 * The versions that a compose file states in `deploy.labels` (or `labels`) as Co-op Cloud writes them
 * (`coop-cloud.${STACK_NAME}.version=3.0.1+v2.0.0`, quoted or not, list or map). A file that is no valid YAML, as
 * some templates are, states none; `pins` tells of it.
 */
export function composeVersions(text: string, file: string): VersionPlace[] {
  const lines = new LineCounter();
  const places: VersionPlace[] = [];
  const add = (value: string, offset: number): void => {
    const { line, col } = lines.linePos(offset);
    places.push({ file, line, column: col, value });
  };
  const labels = (node: unknown): void => {
    if (isSeq(node)) {
      for (const item of node.items) {
        if (!isScalar(item)) continue;
        const [, key = '', value = ''] = /^([^=]*)=([\s\S]*)$/.exec(String(item.value)) ?? [];
        if (COMPOSE_LABEL.test(key.trim())) add(value.trim(), item.range?.[0] ?? 0);
      }
    } else if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (!isScalar(key) || !isScalar(value) || !COMPOSE_LABEL.test(String(key.value).trim())) continue;
        // A number would have lost its form: the source has it.
        add(String(value.source ?? value.value).trim(), value.range?.[0] ?? 0);
      }
    }
  };
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false });
  for (const document of Array.isArray(documents) ? documents : []) {
    if (document.errors.length > 0 || !isMap(document.contents)) continue;
    const services = document.contents.get('services', true);
    if (!isMap(services)) continue;
    for (const pair of services.items) {
      if (!isPair(pair) || !isMap(pair.value)) continue;
      labels(pair.value.get('labels', true));
      const deploy = pair.value.get('deploy', true);
      if (isMap(deploy)) labels(deploy.get('labels', true));
    }
  }
  return places;
}

/**
 * The version in a file: the value at a dotted key of JSON or YAML (`version`, `tool.version`), or without a key the
 * whole file, which then is one line.
 */
export function fileVersion(text: string, file: string, key: string | undefined): VersionPlace[] {
  if (key === undefined) {
    const value = text.trim();
    return value === '' || value.includes('\n') ? [] : [{ file, line: 1, value }];
  }
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 50 });
  } catch (cause) {
    throw new Failure(
      'target-version-missing',
      `${file} is neither JSON nor YAML, so it has no \`${key}\`.`,
      { cause },
    );
  }
  for (const part of key.split('.')) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Record<string, unknown>)[part]
        : undefined;
  }
  return typeof value === 'string' || typeof value === 'number' ? [{ file, value: String(value) }] : [];
}

/** Exactly one version, or why not. `looked` are the places that were looked at. */
export function statedIn(places: readonly VersionPlace[], looked: readonly string[]): StatedVersion {
  const values = new Set(places.map(({ value }) => value));
  if (values.size === 0) return { state: 'missing', places: looked };
  if (values.size > 1) return { state: 'ambiguous', places: places.map(shown) };
  return { state: 'stated', raw: places[0]!.value };
}

export function shown({ file, line, value }: VersionPlace): string {
  return `${file}${line === undefined ? '' : `:${line}`} says ${value}`;
}
