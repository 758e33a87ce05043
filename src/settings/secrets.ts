import { mapEntries, type RawSettings } from './read.ts';
import { settingsTable } from './schema.ts';

/**
 * Every text in the raw settings that must never be shown: whole secret settings, the values of secret maps, the
 * passwords of `registries`. Taken before anything is parsed, so that no error message can quote one. Maps are taken
 * apart as `readSettings` takes them apart on this host.
 */
export function secretsIn(raw: RawSettings, commaSeparatedMaps: boolean): string[] {
  const secrets: string[] = [];
  for (const [name, spec] of Object.entries(settingsTable)) {
    const value = raw.get(name)?.value;
    if (!('secret' in spec) || value === undefined || value.trim() === '') continue;
    if (spec.type === 'text') secrets.push(value.trim());
    else if (value.trim().startsWith('{')) secrets.push(...textsIn(value, spec.type === 'json'));
    else
      secrets.push(
        ...mapEntries(value, commaSeparatedMaps).map((line) => line.slice(line.indexOf('=') + 1).trim()),
      );
  }
  return secrets.filter((secret) => secret !== '');
}

/**
 * All texts in a JSON object, of `registries` without the user names; the whole text where it is not valid JSON. Other
 * maps may call a secret `user-key`.
 */
function textsIn(text: string, withUserNames: boolean): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [text.trim(), ...text.split(/["'\s,{}]+/).filter((word) => word.length >= 8)];
  }
  const found: string[] = [];
  const collect = (inner: unknown, key: string): void => {
    if (typeof inner === 'string' && !(withUserNames && /^user/i.test(key))) found.push(inner);
    else if (typeof inner === 'object' && inner !== null) {
      for (const [name, item] of Object.entries(inner)) collect(item, name);
    }
  };
  collect(value, '');
  return found;
}
