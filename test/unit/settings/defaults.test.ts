import { describe, expect, it } from 'vitest';
import { droneHost } from '../../../src/hosts/drone.ts';
import { githubHost } from '../../../src/hosts/github.ts';
import type { Host } from '../../../src/hosts/host.ts';
import { registryCredentials } from '../../../src/settings/defaults.ts';
import { readSettings } from '../../../src/settings/read.ts';
import { recorded } from '../hosts/recorded.ts';

function credentials(host: Host, imageHost: string): Record<string, unknown> {
  const { settings } = readSettings(host.rawSettings, {
    settingName: host.settingName,
    commaSeparatedMaps: false,
  });
  return Object.fromEntries(registryCredentials(settings, host, imageHost));
}

const github = (event: string, env: Record<string, string> = {}): Host =>
  githubHost(recorded(event, { 'INPUT_JOB-TOKEN': 'job-token', ...env }), () => undefined);

describe('credentials of registries', () => {
  const job = { username: 'robin', password: 'job-token' };

  it('are on GitHub and ghcr.io those of the job, and what is set in their place', () => {
    expect(credentials(github('github-push'), 'ghcr.io')).toEqual({ 'ghcr.io': job });
    const password = { 'INPUT_REGISTRY-PASSWORD': 'own' };
    expect(credentials(github('github-push', password), 'ghcr.io')).toEqual({
      'ghcr.io': { username: 'robin', password: 'own' },
    });
    const both = { ...password, 'INPUT_REGISTRY-USERNAME': 'bot' };
    expect(credentials(github('github-push', both), 'ghcr.io')).toEqual({
      'ghcr.io': { username: 'bot', password: 'own' },
    });
  });

  it('are for one host each', () => {
    const env = {
      'INPUT_REGISTRY-PASSWORD': 'own',
      INPUT_REGISTRIES: '{"Other.example":{"username":"a","password":"b"}}',
    };
    expect(credentials(github('github-push', env), 'registry.example')).toEqual({
      'ghcr.io': job,
      'other.example': { username: 'a', password: 'b' },
      'registry.example': { username: '', password: 'own' },
    });
  });

  it.each([
    ['a fork on GitHub', () => github('github-pull-request-fork', { 'INPUT_REGISTRY-PASSWORD': 'own' })],
    [
      'a fork that is gone',
      () => github('github-pull-request-fork-gone', { 'INPUT_REGISTRY-PASSWORD': 'own' }),
    ],
    [
      'any pull request on Drone, which does not say',
      () => droneHost(recorded('drone-pull-request', { PLUGIN_REGISTRY_PASSWORD: 'own' }), () => undefined),
    ],
  ])('are none for %s', (_, host) => {
    expect(credentials(host(), 'ghcr.io')).toEqual({});
  });
});
