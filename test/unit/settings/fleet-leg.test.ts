import { describe, expect, it } from 'vitest';
import type { Host } from '../../../src/hosts/host.ts';
import { readFleetFile } from '../../../src/settings/fleet-file.ts';
import { fleetLeg } from '../../../src/settings/fleet-leg.ts';
import { ofFleet } from '../../../src/settings/fleet-trust.ts';
import { readRecipeFile } from '../../../src/settings/recipe-file.ts';
import type { Settings } from '../../../src/settings/schema.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const fleet = readFleetFile(
  bytes(
    'ledger: file:/srv/ledger\nrecipes:\n  - { recipe: notes, repository: "https://elsewhere.example/acme/notes.git", image: r.example/notes }\n',
  ),
  'ops/fleet.yml',
);
const host = {
  event: {
    host: 'github',
    kind: 'pull-request',
    name: 'pull_request',
    run: { id: 'r', attempt: 1 },
    repository: {
      cloneUrl: 'https://github.com/acme/fleet',
      webUrl: 'https://github.com/acme/fleet',
      slug: 'acme/fleet',
    },
    tag: '9.9.9',
    pullRequest: { number: 3, fork: true },
    payload: () => undefined,
  },
} as unknown as Host;
const settings = {
  given: new Set(['candidate']),
  candidate: 'c'.repeat(40),
  pullRequest: 3,
} as unknown as Settings;

describe('a run of one recipe of a fleet', () => {
  it('has name, repository, image and ledger of fleet.yml, and nothing of the job’s event', () => {
    const leg = fleetLeg(host, settings, fleet, 'notes');
    expect(leg.settings).toMatchObject({
      recipe: 'notes',
      repository: 'https://elsewhere.example/acme/notes.git',
      image: 'r.example/notes',
      ledger: 'file:/srv/ledger',
      candidate: undefined,
      pullRequest: undefined,
    });
    expect(leg.settings.given.has('candidate')).toBe(false);
    expect(leg.leg).toMatchObject({ commit: 'c'.repeat(40), folder: 'ops', home: host.event.repository });
    expect(leg.host.event).toMatchObject({ kind: 'dispatch', repository: { slug: 'acme/notes' } });
    expect(leg.host.event).not.toHaveProperty('tag');
    expect(leg.host.event).not.toHaveProperty('pullRequest');
  });

  it('is of a recipe that is listed', () => {
    expect(() => fleetLeg(host, settings, fleet, 'note')).toThrow(
      /lists no recipe `note`; did you mean `notes`/,
    );
  });
});

describe('what a recipe’s own file may say in a fleet', () => {
  const read = (text: string, defaults = {}) =>
    ofFleet(readRecipeFile(bytes(text), 'knowngood.yml', defaults), defaults);

  it.each([
    ['test: { allow: [privileged, credentials], check: { exec: "true" } }', {}, []],
    ['test: { allow: [privileged] }', { test: { allow: ['devices'] } }, ['devices']],
    ['test: { check: { exec: "true" } }', { test: { allow: 'privileged' } }, ['privileged']],
    ['test: { check: { exec: "true" } }', { test: { allow: ['everything'] } }, []],
  ])('%s allows what the fleet does', (text, defaults, expected) => {
    const granted = ofFleet(readRecipeFile(bytes(text), 'knowngood.yml'), defaults);
    expect(granted.value.test?.allow).toEqual(expected);
  });

  it.each([
    'test: { check: { host: "env" }, allow: [credentials] }',
    'test: { before-upgrade: { host: "env" } }',
    'test: { tiers: [install, { name: own, host: "env" }] }',
    'test: { deploy: commands, up: ./up.sh, down: ./down.sh }',
  ])('%s is refused: it would run beside the fleet’s credentials', (text) => {
    expect(() => read(text)).toThrow(/run on the host/);
    expect(() => read(text, { test: { allow: ['credentials'] } })).not.toThrow();
  });

  it('a recipe without tests of its own is as it is', () => {
    expect(read('enrolled: false').value).toMatchObject({ enrolled: false });
  });
});
