import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

let kept = 0;

/** Leaves a run's log in the folder KNOWNGOOD_HOST_LOGS, for a person who wants to see what users see. */
export function keepLog(host: string, log: string): void {
  const folder = process.env.KNOWNGOOD_HOST_LOGS;
  if (folder === undefined || folder === '') return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${host}-${process.pid}-${++kept}.log`), `${log}\n`);
}
