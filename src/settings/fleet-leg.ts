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
