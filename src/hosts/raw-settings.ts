import type { RawSettings } from '../settings/read.ts';
import type { Environment } from './detect.ts';

/**
 * Settings out of the variables with this prefix. Where two spellings of one name are there (`PLUGIN_BUILD_ARGS`
 * and `PLUGIN_BUILD-ARGS`), the non-empty one counts.
 */
export function settingsFromPrefix(
  env: Environment,
  prefix: string,
  toName: (rest: string) => string,
  source: (name: string) => string,
  ignored: readonly string[] = [],
): RawSettings {
  const settings = new Map<string, { value: string; source: string }>();
  for (const [key, value] of Object.entries(env)) {
    if (!key.startsWith(prefix) || value === undefined || ignored.includes(key)) continue;
    const name = toName(key.slice(prefix.length));
    if (name === '' || (value === '' && settings.has(name))) continue;
    settings.set(name, { value, source: source(name) });
  }
  return settings;
}
