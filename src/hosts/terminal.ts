import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { RawSettings } from '../settings/read.ts';
import { settingsTable } from '../settings/schema.ts';
import type { Environment } from './detect.ts';
import type { Host } from './host.ts';
import { createLog, plainStyle } from './log.ts';

/**
 * A person's terminal. Their command is a dispatch: it releases where HEAD is a release tag. Runs over one
 * workspace are one run, as the steps of a CI job are.
 */
export function terminalHost(
  env: Environment,
  write: (text: string) => void,
  command: { rawSettings: RawSettings; live: boolean },
): Host {
  const workspace = resolve('.');
  const rawSettings = withSecrets(command.rawSettings, env);
  return {
    name: 'terminal',
    event: {
      host: 'terminal',
      kind: 'dispatch',
      name: 'terminal',
      repository: {},
      run: {
        id: `terminal-${createHash('sha256').update(workspace).digest('hex').slice(0, 12)}`,
        attempt: 1,
      },
      ...(env.USER !== undefined && env.USER !== '' ? { actor: env.USER } : {}),
      payload: () => undefined,
    },
    log: createLog({
      write,
      live: command.live,
      style: plainStyle,
      verbose: /^(true|1|yes|on)$/i.test(rawSettings.get('verbose')?.value ?? ''),
    }),
    workspace,
    rawSettings,
    settingName: (name) => `--${name}`,
    async publish() {},
  };
}

/**
 * Secret settings from the environment, `KNOWNGOOD_REGISTRY_PASSWORD` for `registry-password`: a command line is
 * readable by every process of the machine.
 */
export function withSecrets(typed: RawSettings, env: Environment): RawSettings {
  const settings = new Map(typed);
  for (const [name, spec] of Object.entries(settingsTable)) {
    const variable = `KNOWNGOOD_${name.toUpperCase().replaceAll('-', '_')}`;
    const value = env[variable];
    if ('secret' in spec && value !== undefined && value !== '' && !settings.has(name)) {
      settings.set(name, { value, source: `\`${variable}\`` });
    }
  }
  return settings;
}
