import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../../src/hosts/detect.ts';

const folder = new URL('../../fixtures/events/', import.meta.url);

export const recordedEvents = readdirSync(folder).map((name) => name.replace(/\.json$/, ''));

/** The environment of a recorded event; its payload is written to a file, as GitHub's runner does. */
export function recorded(name: string, more: Environment = {}): Environment {
  const { env, payload } = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
  if (payload === undefined) return { ...env, ...more };
  const path = join(mkdtempSync(join(tmpdir(), 'knowngood-event-')), 'event.json');
  writeFileSync(path, JSON.stringify(payload));
  return { ...env, GITHUB_EVENT_PATH: path, ...more };
}
