import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Failure } from '../../../src/outcome.ts';
import { configSchemas } from '../../../src/settings/faces/config-schemas.ts';
import { readFleetFile } from '../../../src/settings/fleet-file.ts';
import { readRecipeFile } from '../../../src/settings/recipe-file.ts';

const shipped = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../../schema/${name}.schema.json`, import.meta.url), 'utf8'));
const ajv = new Ajv({ allErrors: true, strictTypes: false });
const schemas = {
  'knowngood.yml': ajv.compile(shipped('knowngood.yml')),
  'fleet.yml': ajv.compile(shipped('fleet.yml')),
};

/** Whether our own reading takes the text. */
function isRead(name: keyof typeof schemas, text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  try {
    if (name === 'fleet.yml') readFleetFile(bytes, name);
    else readRecipeFile(bytes, name);
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === 'config-invalid') return false;
    throw error;
  }
}

const everything = `
recipe: hedgedoc
image: ghcr.io/acme/hedgedoc
version: { from: label }
releases: { tags: "*", branch: main }
enrolled: true
known-broken:
  - { version: 3.0.0+v2.0.0, reason: "upstream entrypoint is gone on amd64", until: 2027-01-01 }
  - "2.9.0"
upgrade-base: { version: 3.0.1+v2.0.0, for: ">=3.1.0 <4", until: 2027-01-01 }
expected-na: { upgrade: { reason: "manual database dump", versions: ">=4 <5" } }
test:
  deploy: compose
  compose-file: [compose.yml]
  env-file: .env.sample
  target: { service: app, port: 8000 }
  ready: { http: /readyz, timeout: 2m }
  before-upgrade: { exec: "app seed" }
  check: { http: [{ path: /notes, contains: hello }], exec: "app doctor" }
  tiers: [install, upgrade, { name: backup, exec: "app backup --verify" }]
  allow: []
drift:
  pins: [compose.yml, "deploy/**/*.yaml", Dockerfile]
`;

const fleet = `
ledger: git:https://git.example.org/ops/ledger#main
defaults: { test: { timeout: 20m } }
recipes:
  - { recipe: plausible, repository: https://git.example.org/mirror/plausible, config: recipes/plausible.yml }
  - { recipe: pds, repository: https://git.example.org/pds, enrolled: false, reason: "needs public DNS" }
`;

describe('the shipped schemas', () => {
  it('are what the source makes', () => {
    for (const [path, content] of Object.entries(configSchemas())) {
      expect(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')).toBe(content);
    }
  });

  it.each([
    ['knowngood.yml', everything],
    ['knowngood.yml', '{}'],
    ['knowngood.yml', 'version: { from: { file: { path: package.json, key: version } } }'],
    ['knowngood.yml', 'upgrade-base: "3.0.0"'],
    ['knowngood.yml', 'test: { ready: { tcp: 5432 }, check: [{ exec: [pg_isready] }], stop-grace: 1m }'],
    ['knowngood.yml', 'test: { ready: { healthcheck: true }, check: { http: /health } }'],
    ['knowngood.yml', 'test: { ports: [80, "8080:80"], volumes: ["data:/data"], env: { A: 1, B: true } }'],
    ['fleet.yml', fleet],
    ['fleet.yml', 'recipes: []'],
  ] as const)('of %s take what we read: %s', (name, text) => {
    const valid = schemas[name](parse(text));
    expect(schemas[name].errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    expect(isRead(name, text)).toBe(true);
  });

  it.each([
    ['knowngood.yml', 'enroled: true'],
    ['knowngood.yml', 'enrolled: "yes"'],
    ['knowngood.yml', 'recipe: Hedge/Doc'],
    ['knowngood.yml', 'upgrade-base: 1.0'],
    ['knowngood.yml', 'known-broken: [{ version: "1.0.0", until: tomorrow }]'],
    ['knowngood.yml', 'known-broken: [{ reason: "no version" }]'],
    ['knowngood.yml', 'known-broken: { version: "1.0.0" }'],
    ['knowngood.yml', 'version: { from: readme }'],
    ['knowngood.yml', 'expected-na: { upgrade: {} }'],
    ['knowngood.yml', 'test: { deploy: helm }'],
    ['knowngood.yml', 'test: { ready: { http: readyz } }'],
    ['knowngood.yml', 'test: { ready: { tcp: 70000 } }'],
    ['knowngood.yml', 'test: { target: { port: "8000" } }'],
    ['knowngood.yml', 'test: { check: { http: [{ contains: x }] } }'],
    ['knowngood.yml', 'test: { allow: [everything] }'],
    ['knowngood.yml', 'test: { timeout: 20 }'],
    ['knowngood.yml', 'test: { timeout: 20 minutes }'],
    ['knowngood.yml', 'test: { ready: { http: /, tcp: 80 } }'],
    ['knowngood.yml', 'test: { ready: { timeout: 1m } }'],
    ['knowngood.yml', 'test: { check: { timeout: 1m } }'],
    ['knowngood.yml', 'drift: { pin: [compose.yml] }'],
    ['fleet.yml', 'ledger: file:/srv'],
    ['fleet.yml', 'recipes: [{ recipe: plausible }]'],
    ['fleet.yml', 'recipes: [{ recipe: plausible, repository: https://x.example, url: y }]'],
  ] as const)('of %s refuse what we refuse: %s', (name, text) => {
    expect(schemas[name](parse(text))).toBe(false);
    expect(isRead(name, text)).toBe(false);
  });

  it('of fleet.yml know the form of the defaults, before a recipe is read with them', () => {
    const text = `${fleet.replace('timeout: 20m', 'time-out: 20m')}`;
    expect(schemas['fleet.yml'](parse(text))).toBe(false);
  });
});
