import { existsSync, readFileSync } from 'node:fs';
import { writeWhole } from './write-whole.ts';

const LINE = /^(KNOWNGOOD_[A-Z0-9_]+)='(?:[^']|'\\'')*'$/;

/**
 * Adds a step's outputs to `outputs.env`: `KNOWNGOOD_<STEP>_<NAME>` and, for the latest step, `KNOWNGOOD_<NAME>`.
 * One line each in POSIX single quotes, so that a shell may source the file whatever the values hold. Lines that we
 * did not write in this form are dropped, and so is what an earlier run of the same step said: one that ends in an
 * error has no verdict, and must not show that of yesterday.
 */
export function addOutputs(path: string, step: string, outputs: Readonly<Record<string, string>>): void {
  const lines = new Map<string, string>();
  if (existsSync(path)) {
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const name = LINE.exec(line)?.[1];
      if (name !== undefined) lines.set(name, line);
    }
  }
  const own = `KNOWNGOOD_${variable(step)}_`;
  for (const key of [...lines.keys()].filter((one) => one.startsWith(own))) {
    lines.delete(key);
    lines.delete(`KNOWNGOOD_${key.slice(own.length)}`);
  }
  for (const [name, value] of Object.entries(outputs)) {
    for (const key of [`${own}${variable(name)}`, `KNOWNGOOD_${variable(name)}`]) {
      lines.set(key, `${key}='${value.replaceAll("'", "'\\''")}'`);
    }
  }
  writeWhole(path, [...lines.values()].map((line) => `${line}\n`).join(''));
}

function variable(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
