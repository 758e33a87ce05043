import { Failure, type Finding, finding } from '../outcome.ts';
import { nearest } from './nearest.ts';
import { type SettingName, type Settings, type SettingType, settingsTable } from './schema.ts';

/** Raw settings as a host gives them: kebab-case name → text and where it came from, for messages. */
export type RawSettings = ReadonlyMap<string, { readonly value: string; readonly source: string }>;

interface Spec {
  readonly type: SettingType;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly secret?: boolean;
}

/**
 * Reads all settings at once, so that one run shows every mistake. Unknown names are warnings, with the nearest
 * known one; a wrong type or value is a Failure `setting-invalid` before anything runs. An empty text is unset.
 *
 * `commaSeparatedMaps`: Drone and Woodpecker join a YAML list with commas, so that `[A=1, B=2]` arrives as one line.
 */
export function readSettings(
  raw: RawSettings,
  host: { settingName(name: string): string; commaSeparatedMaps: boolean },
): { settings: Settings; warnings: readonly Finding[] } {
  const warnings: Finding[] = [];
  const problems: string[] = [];
  const given = new Set<SettingName>();
  const values: Record<string, unknown> = {};

  for (const [name, { source }] of raw) {
    if (Object.hasOwn(settingsTable, name)) continue;
    const near = nearest(name, Object.keys(settingsTable));
    const hint = near === undefined ? '' : ` Did you mean \`${host.settingName(near)}\`?`;
    warnings.push(
      finding('setting-unknown', 'warning', `The setting ${source} is not known and was ignored.${hint}`),
    );
  }

  for (const [name, spec] of Object.entries(settingsTable) as [SettingName, Spec][]) {
    const entry = raw.get(name);
    const written = entry !== undefined && entry.value.trim() !== '';
    if (written) given.add(name);
    const value = written ? entry.value : spec.default;
    try {
      values[camel(name)] =
        value === undefined ? absent(spec.type) : parse(spec, value, host.commaSeparatedMaps);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      problems.push(`\`${host.settingName(name)}\` ${error.message}`);
    }
  }
  if (problems.length > 0) {
    throw new Failure(
      'setting-invalid',
      problems.length === 1 ? `${problems[0]}.` : `${problems.join('; ')}.`,
    );
  }
  return { settings: { ...values, given } as unknown as Settings, warnings };
}

/** What is wrong with a value, as the end of a sentence that begins with the setting's name. */
class Unreadable extends Error {}

function absent(type: SettingType): unknown {
  return type === 'list' ? [] : type === 'map' ? {} : undefined;
}

function camel(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function parse(spec: Spec, text: string, commaSeparatedMaps: boolean): unknown {
  switch (spec.type) {
    case 'text':
      return text.includes('\n') ? text : text.trim();
    case 'flag':
      return parseFlag(text.trim());
    case 'list':
      return listOf(parseList(text), spec.choices);
    case 'map':
      return parseMap(text, commaSeparatedMaps, spec.secret === true);
    case 'number':
      return parseNumber(text.trim());
    case 'duration':
      return parseDuration(text.trim());
    case 'choice':
      return parseChoice(text.trim(), spec.choices ?? []);
    case 'commit':
      return parseCommit(text.trim());
    case 'json':
      return parseCredentials(text);
  }
}

function parseFlag(text: string): boolean {
  if (/^(true|yes|on|1)$/i.test(text)) return true;
  if (/^(false|no|off|0)$/i.test(text)) return false;
  throw new Unreadable(`must be \`true\` or \`false\`, not ${shown(text)}`);
}

/** Lines, or separated by commas, or a JSON array. */
export function parseList(text: string): string[] {
  const trimmed = text.trim();
  if (trimmed.startsWith('[')) {
    const value = parseJson(trimmed);
    if (
      Array.isArray(value) &&
      value.every((item) => ['string', 'number', 'boolean'].includes(typeof item))
    ) {
      return value.map(String);
    }
    throw new Unreadable('must be a JSON array of texts, or lines, or separated by commas');
  }
  const items = trimmed
    .split(/[\n,]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
  // A cache is one entry with commas of its own, `type=registry,ref=…`: what follows its `type` is part of it.
  const list: string[] = [];
  for (const item of items) {
    const last = list.at(-1);
    const isPart = last?.startsWith('type=') && /^[a-z-]+=/.test(item) && !item.startsWith('type=');
    if (isPart) list[list.length - 1] = `${last},${item}`;
    else list.push(item);
  }
  return list;
}

/**
 * The entries of a map that is no JSON. A comma separates only where a name and an equals sign follow: values may hold
 * commas.
 */
export function mapEntries(text: string, commaSeparated: boolean): string[] {
  return text.split(commaSeparated ? /\n|,(?=\s*[A-Za-z_][\w.-]*=)/ : '\n');
}

function parseMap(text: string, commaSeparated: boolean, secret: boolean): Record<string, string> {
  const trimmed = text.trim();
  const map: Record<string, string> = {};
  const put = (key: string, value: string): void => {
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  };
  if (trimmed.startsWith('{')) {
    const value = parseJson(trimmed);
    for (const [key, item] of Object.entries(value as object)) {
      if (!['string', 'number', 'boolean'].includes(typeof item)) {
        throw new Unreadable(`must map names to texts; ${shown(key)} is something else`);
      }
      put(key, String(item));
    }
    return map;
  }
  for (const entry of mapEntries(trimmed, commaSeparated)) {
    const line = entry.trim();
    if (line === '') continue;
    const at = line.indexOf('=');
    if (at <= 0) {
      // What is cut off in a message is no longer found by the mask.
      const which = secret ? 'a line' : shown(line);
      throw new Unreadable(`must be lines of NAME=value or a JSON object; ${which} is neither`);
    }
    put(line.slice(0, at).trim(), line.slice(at + 1));
  }
  return map;
}

function parseNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Unreadable(`must be a whole number, not ${shown(text)}`);
  return Number(text);
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The form of a time: `90s`, `1h30m`, `2d`. */
export const DURATION = /^(?:\d{1,9}(?:ms|s|m|h|d))+$/;

/** What is said of a text that has not this form. */
export const notADuration = (text: string): string =>
  `must be a time such as \`90s\`, \`15m\` or \`1h30m\`, not ${shown(text)}`;

/** `90s`, `1h30m`, `2d` → milliseconds. */
export function parseDuration(text: string): number {
  if (!DURATION.test(text)) throw new Unreadable(notADuration(text));
  const parts = [...text.matchAll(/(\d{1,9})(ms|s|m|h|d)/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit!] ?? 0), 0);
}

function listOf(items: string[], choices: readonly string[] | undefined): string[] {
  const other = items.find((item) => choices?.includes(item) === false);
  if (choices === undefined || other === undefined) return items;
  throw new Unreadable(`may hold ${choices.map((c) => `\`${c}\``).join(', ')}, and not ${shown(other)}`);
}

function parseChoice(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw new Unreadable(`must be one of ${choices.map((c) => `\`${c}\``).join(', ')}, not ${shown(text)}`);
}

function parseCommit(text: string): string {
  if (/^[0-9a-f]{40}$/.test(text)) return text;
  throw new Unreadable(`must be a full commit of 40 lower-case hex digits, not ${shown(text)}`);
}

function parseJson(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The text is not quoted: it may hold secrets.
    throw new Unreadable('is not valid JSON');
  }
  if (typeof value !== 'object' || value === null) throw new Unreadable('must be a JSON object or array');
  return value;
}

/** Credentials by host. An entry without a password only names a host. Nothing of the text is quoted. */
function parseCredentials(text: string): object {
  const value = parseJson(text);
  const isEntry = (entry: unknown): boolean =>
    typeof entry === 'object' &&
    entry !== null &&
    !Array.isArray(entry) &&
    Object.entries(entry).every(
      ([key, item]) => (key === 'username' || key === 'password') && typeof item === 'string',
    );
  if (Array.isArray(value) || !Object.values(value).every(isEntry)) {
    throw new Unreadable('must be a JSON object of `{"host": {"username": "…", "password": "…"}}`');
  }
  return value;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
