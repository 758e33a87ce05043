import { resolve } from 'node:path';
import type { RawSettings } from '../settings/read.ts';
import type { Environment } from './detect.ts';
import type { Event, Host, StepReport } from './host.ts';
import { createLog, plainStyle } from './log.ts';
import { settingsFromPrefix } from './raw-settings.ts';

/** Set by Harness for its own ends; no settings of ours. */
const FOREIGN = ['PLUGIN_ARTIFACT_FILE'];

/**
 * What Drone and Woodpecker share: settings as `PLUGIN_*`, a plain log. A setting written with hyphens arrives with
 * hyphens from Drone and with underscores from Woodpecker; both are read.
 */
export function pluginHost(
  env: Environment,
  write: (text: string) => void,
  own: {
    name: 'drone' | 'woodpecker';
    event: Event;
    workspace: string | undefined;
    publish(report: StepReport, host: Host): Promise<void>;
    /** Settings that the host itself gives, where nobody wrote them. */
    defaults?: RawSettings;
  },
): Host {
  const written = settingsFromPrefix(
    env,
    'PLUGIN_',
    (name) => name.toLowerCase().replaceAll('_', '-'),
    (name) => `\`${name.replaceAll('-', '_')}\``,
    FOREIGN,
  );
  const rawSettings: RawSettings = new Map([...(own.defaults ?? []), ...written]);
  const host: Host = {
    name: own.name,
    event: own.event,
    log: createLog({
      write,
      live: false,
      style: plainStyle,
      verbose: /^(true|1|yes|on)$/i.test(rawSettings.get('verbose')?.value ?? ''),
    }),
    workspace: resolve(own.workspace ?? '.'),
    rawSettings,
    settingName: (name) => name.replaceAll('-', '_'),
    publish: (report) => own.publish(report, host),
  };
  return host;
}
