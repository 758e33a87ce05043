import { type Finding, finding, type Level } from '../outcome.ts';
import type { KnownBroken, Note } from '../rules/usable.ts';
import type { RecipeFile } from '../settings/recipe-file.ts';
import type { Path } from '../settings/yaml-file.ts';

/** Where pin and known-broken entries come from: knowngood.yml, or settings that override it. */
export interface RuleSources {
  readonly file: Pick<RecipeFile, 'name' | 'at' | 'linesOf'> & {
    readonly value: { readonly 'known-broken': readonly KnownBroken[] };
  };
  /** How the host writes the settings, where they were given. */
  readonly pinSetting?: string | undefined;
  readonly knownBrokenSetting?: string | undefined;
}

const levels: Readonly<Partial<Record<Note['code'], Level>>> = {
  'canonical-lags': 'info',
  'crosses-major': 'info',
  'label-already-released': 'info',
  'pin-is-target': 'info',
};

/** A note as a sentence. `about` is a tag, a version, a number or the end of a sentence, as the rules write it. */
export function noteText({ code, about = '' }: Note): string {
  switch (code) {
    case 'pin-stale':
      return `The pin is not used: ${about}.`;
    case 'pin-is-target':
      return 'The pin is not used: it is the candidate itself.';
    case 'pin-redundant':
      return 'The answer is the same without the pin.';
    case 'canonical-orphaned':
      return `The canonical is not used: its tag ${about} is gone, or not on the release branch.`;
    case 'canonical-tag-moved':
      return `The canonical is not used: its tag ${about} is on another commit than the one that was promoted.`;
    case 'canonical-ambiguous':
      return `The canonical is not used: tags that spell ${about} differently are on different commits.`;
    case 'canonical-known-broken':
      return `The canonical is not used: ${about} is declared known broken.`;
    case 'canonical-lags':
      return about === '1'
        ? 'One release between the canonical and the candidate was never promoted.'
        : `${about} releases between the canonical and the candidate were never promoted.`;
    case 'label-already-released':
      return `The candidate carries the version of the release ${about}, and is another commit.`;
    case 'crosses-major':
      return `The upgrade from ${about} crosses a major version.`;
    case 'known-broken-unused':
      return `The known-broken entry ${about} has expired, or is about no release.`;
  }
}

/** A note as outputs name it: the code, and for `canonical-lags` by how many releases. */
export function noteCode({ code, about }: Note): string {
  return code === 'canonical-lags' && about !== undefined ? `${code}:${about}` : code;
}

/**
 * The notes as findings. What does nothing (a redundant or expired pin, an unused known-broken entry) comes with the
 * lines of knowngood.yml to delete, or with the setting to remove.
 */
export function noteFindings(notes: readonly Note[], sources: RuleSources): Finding[] {
  return notes.map((note) => {
    const { code } = note;
    const level = levels[code] ?? 'warning';
    if (code === 'known-broken-unused') return unusedEntry(note, notes, sources);
    if (code === 'pin-redundant' || (code === 'pin-stale' && note.about?.startsWith('expired') === true)) {
      const { pinSetting, file } = sources;
      if (pinSetting !== undefined) {
        return finding(code, level, noteText(note), { remedy: `Remove the setting \`${pinSetting}\`.` });
      }
      return finding(code, level, noteText(note), deletion(file, ['upgrade-base']));
    }
    // The pin may wait for versions that are still to come.
    const waits =
      code === 'pin-stale' ? { remedy: 'Delete the pin if no version of its range is to come.' } : {};
    return finding(code, level, noteText(note), waits);
  });
}

function unusedEntry(note: Note, notes: readonly Note[], { file, knownBrokenSetting }: RuleSources): Finding {
  const { code, about = '' } = note;
  if (knownBrokenSetting !== undefined) {
    return finding(code, 'warning', noteText(note), {
      remedy: `Remove ${about} from the setting \`${knownBrokenSetting}\`.`,
    });
  }
  const entries = file.value['known-broken'];
  const unused = new Set(notes.filter((one) => one.code === code).map((one) => one.about));
  // Deleting every item one by one would leave a key without a list.
  const all = entries.every(({ version }) => unused.has(version));
  const index = entries.findIndex(({ version }) => version === about);
  const path: Path = all ? ['known-broken'] : ['known-broken', index];
  return finding(code, 'warning', noteText(note), deletion(file, path));
}

/** Where it stands, and the lines to delete; where they hold more than it, that it is to be taken out of them. */
function deletion(file: RuleSources['file'], path: Path): Pick<Finding, 'at' | 'remedy' | 'found'> {
  const lines = file.linesOf(path);
  const begins = lines.text[0]?.trim() ?? '';
  const key = path.at(-1);
  // In a flow list or map other things may stand on the line.
  const alone = begins.startsWith(typeof key === 'string' ? `${key}:` : '-');
  const where = lines.first === lines.last ? `line ${lines.first}` : `lines ${lines.first} to ${lines.last}`;
  return {
    at: file.at(path),
    found: lines.text.join('\n'),
    remedy: alone
      ? `Delete ${where} of ${file.name}: ${lines.text.map((line) => line.trim()).join(' ')}`
      : `Take it out of ${where} of ${file.name}: ${lines.text.map((line) => line.trim()).join(' ')}`,
  };
}
