import type { Host } from '../hosts/host.ts';
import { Failure } from '../outcome.ts';
import { ledgerAddress } from '../settings/defaults.ts';
import type { FleetFile } from '../settings/fleet-file.ts';
import type { FleetLeg, LegInput } from '../settings/fleet-leg.ts';
import type { RecipeFile } from '../settings/recipe-file.ts';
import type { Settings } from '../settings/schema.ts';

interface FleetInput {
  readonly host: Host;
  readonly settings: Settings;
}

/** A step that looks at the whole fleet has its ledger. */
export async function ofFleet({ host, settings }: FleetInput): Promise<Partial<FleetInput>> {
  if (settings.fleet === undefined) return {};
  const { value } = await readFleet(host.workspace, settings.fleet);
  const ledger = ledgerAddress(settings, host.event, value.ledger);
  return ledger === undefined ? {} : { settings: { ...settings, ledger } };
}

/** With the setting `fleet`, a run is about one recipe of it; without, nothing changes. */
export async function legOf({ host, settings }: FleetInput): Promise<Partial<LegInput>> {
  if (settings.fleet === undefined) return {};
  if (settings.recipe === undefined) {
    throw new Failure('setting-missing', 'With `fleet`, the recipe to run must be named.', {
      remedy: `Set \`${host.settingName('recipe')}\` to one that ${settings.fleet} lists.`,
    });
  }
  const { fleetLeg } = await import('../settings/fleet-leg.ts');
  return fleetLeg(host, settings, await readFleet(host.workspace, settings.fleet), settings.recipe);
}

/** The fleet of this workspace. Fails with `fleet-unreadable`, `path-outside`, `config-invalid`. */
export async function readFleet(workspace: string, path: string): Promise<FleetFile> {
  const [{ readFleetFile }, { readInside }, { CONFIG_LIMIT }] = await Promise.all([
    import('../settings/fleet-file.ts'),
    import('../recipe/inside.ts'),
    import('../settings/yaml-file.ts'),
  ]);
  const bytes = readInside(workspace, path, CONFIG_LIMIT);
  if (bytes === undefined) throw new Failure('fleet-unreadable', `There is no file ${path}.`);
  return readFleetFile(bytes, path);
}

/** The configuration that lies beside fleet.yml instead of in the recipe's repository; `undefined` if none does. */
export async function configBeside(
  workspace: string,
  { entry, defaults, folder }: Pick<FleetLeg, 'entry' | 'defaults' | 'folder'>,
): Promise<RecipeFile | undefined> {
  if (entry.config === undefined) return undefined;
  const [{ posix }, { components, readInside }, { CONFIG_LIMIT }, { readRecipeFile }] = await Promise.all([
    import('node:path'),
    import('../recipe/inside.ts'),
    import('../settings/yaml-file.ts'),
    import('../settings/recipe-file.ts'),
  ]);
  const path = posix.join(folder, ...components(entry.config));
  const bytes = readInside(workspace, path, CONFIG_LIMIT);
  if (bytes === undefined) {
    throw new Failure('config-invalid', `The fleet names ${path} for ${entry.recipe}, which is not there.`);
  }
  return readRecipeFile(bytes, path, defaults);
}
