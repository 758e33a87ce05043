import { posix } from 'node:path';
import type { Event, Host } from '../hosts/host.ts';
import { Failure } from '../outcome.ts';
import { ledgerAddress } from './defaults.ts';
import type { FleetEntry, FleetFile } from './fleet-file.ts';
import { nearest } from './nearest.ts';
import type { SettingName, Settings } from './schema.ts';

/** One recipe of a fleet, as a run of its own looks at it. */
export interface FleetLeg {
  readonly entry: FleetEntry;
  /** Laid below the recipe's own configuration. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** The folder of fleet.yml, relative to the workspace: configurations lie beside it. */
  readonly folder: string;
  /** The commit to look at, where somebody named it; else that of the newest release. */
  readonly commit: string | undefined;
  /** The fleet's own repository: tokens of the job and of its forge are for where that is. */
  readonly home: Event['repository'];
}

/** What a run of one recipe of a fleet is given instead of what the fleet's own job has. */
export interface LegInput {
  readonly host: Host;
  readonly settings: Settings;
  readonly leg: FleetLeg;
}

/**
 * A run of one recipe of a fleet. Names, repository, image and ledger are those of fleet.yml; the job's event is the
 * fleet's, so that its tag, branch and pull request say nothing about the recipe. Fails with `fleet-recipe-unknown`.
 */
export function fleetLeg(host: Host, settings: Settings, fleet: FleetFile, recipe: string): LegInput {
  const { recipes, defaults, ledger } = fleet.value;
  const entry = recipes.find((one) => one.recipe === recipe);
  if (entry === undefined) {
    const near = nearest(
      recipe,
      recipes.map((one) => one.recipe),
    );
    throw new Failure(
      'fleet-recipe-unknown',
      `${fleet.name} lists no recipe \`${recipe}\`${near === undefined ? '' : `; did you mean \`${near}\``}.`,
    );
  }
  const image = settings.image ?? entry.image;
  const address = ledgerAddress(settings, host.event, ledger);
  const given = new Set<SettingName>(settings.given);
  given.delete('candidate');
  return {
    host: { ...host, event: legEvent(host.event, entry) },
    settings: {
      ...settings,
      given,
      recipe: entry.recipe,
      repository: entry.repository,
      candidate: undefined,
      pullRequest: undefined,
      ...(image === undefined ? {} : { image }),
      ...(address === undefined ? {} : { ledger: address }),
    },
    leg: {
      entry,
      defaults,
      folder: posix.dirname(fleet.name),
      commit: settings.candidate,
      home: host.event.repository,
    },
  };
}

/** The job's event, without what it says about the fleet's own repository. */
function legEvent({ host, name, run, actor, payload }: Event, { repository }: FleetEntry): Event {
  const page = pageOf(repository);
  return {
    host,
    name,
    run,
    kind: 'dispatch',
    payload,
    ...(actor === undefined ? {} : { actor }),
    repository: { cloneUrl: repository, ...page },
  };
}

function pageOf(repository: string): { webUrl?: string; slug?: string } {
  if (!URL.canParse(repository)) return {};
  const { origin, pathname, protocol } = new URL(repository);
  if (protocol !== 'https:' && protocol !== 'http:') return {};
  const slug = pathname.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
  return slug === '' ? {} : { webUrl: `${origin}/${slug}`, slug };
}
