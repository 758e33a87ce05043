import { type GoProgram, type GoProgramName, goProgram } from '../../sandbox/go-programs.ts';

const names: readonly GoProgramName[] = [
  'actionlint',
  'act',
  'drone-runner-docker',
  'woodpecker-cli',
  'gitea',
];

/** Where a developer names a program of their own, instead of the pinned one. */
const ownOf = (name: GoProgramName): string => `KNOWNGOOD_${name.toUpperCase().replaceAll('-', '_')}`;

const handedOnAs = 'KNOWNGOOD_HOST_PROGRAMS';

/** Gets what can be had, one after the other, and hands it on to the test files; returns a sentence for each that cannot. */
export async function fetchPrograms(): Promise<readonly string[]> {
  const found: Partial<Record<GoProgramName, GoProgram>> = {};
  const missing: string[] = [];
  for (const name of names) {
    const own = process.env[ownOf(name)];
    const program = own ? { path: own, version: 'of this machine' } : await goProgram(name);
    if ('missing' in program) missing.push(program.missing);
    else found[name] = program;
  }
  process.env[handedOnAs] = JSON.stringify(found);
  return missing;
}

/** The program, or undefined where this machine cannot have it: its tests are skipped then. */
export function hostProgram(name: GoProgramName): GoProgram | undefined {
  const found = JSON.parse(process.env[handedOnAs] ?? '{}') as Partial<Record<GoProgramName, GoProgram>>;
  return found[name];
}
