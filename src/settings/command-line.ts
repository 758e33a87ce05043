import { Failure } from '../outcome.ts';
import type { RawSettings } from './read.ts';
import { type SettingName, settingsTable } from './schema.ts';

/** What a person typed: the step words, the settings, and whether they asked for help. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly rawSettings: RawSettings;
  readonly help: boolean;
  readonly version: boolean;
}

/**
 * `build-push --build-args A=1 --build-args B=2 --no-cache --push=always`. A flag needs no value; a list or map
 * may be given again and grows. Anything else that is not a setting's name is read too, and warned of later.
 */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const words: string[] = [];
  const settings = new Map<string, { value: string; source: string }>();
  let help = false;
  let version = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--help' || word === '-h' || (i === 0 && word === 'help')) help = true;
    else if (word === '--version' && argv.length === 1) version = true;
    else if (word.startsWith('--')) {
      const [, name = '', inline] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
      const spec = Object.hasOwn(settingsTable, name) ? settingsTable[name as SettingName] : undefined;
      let value = inline;
      if (value === undefined && spec?.type === 'flag' && !/^(true|false)$/.test(argv[i + 1] ?? ''))
        value = 'true';
      if (value === undefined) {
        const next = argv[i + 1];
        // A setting must not be swallowed as the value of the one before it, least of all `--dry-run`.
        if (next !== undefined && !isSetting(next)) {
          value = next;
          i++;
        } else if (spec === undefined) value = 'true';
        else throw new Failure('setting-invalid', `\`--${name}\` needs a value.`);
      }
      const before = settings.get(name);
      const grows = before !== undefined && (spec?.type === 'list' || spec?.type === 'map');
      settings.set(name, { value: grows ? `${before.value}\n${value}` : value, source: `\`--${name}\`` });
    } else words.push(word);
  }
  if (words.length > 0) settings.set('step', { value: words.join('\n'), source: '`step`' });
  return { words, rawSettings: settings, help, version };
}

function isSetting(word: string): boolean {
  const [, name = ''] = /^--([^=]+)/.exec(word) ?? [];
  return Object.hasOwn(settingsTable, name);
}
