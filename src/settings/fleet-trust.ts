import type { Command } from '../harness/plan.ts';
import { Failure } from '../outcome.ts';
import type { RecipeFile } from './recipe-file.ts';
import { allowances, type TestConfig } from './test-section.ts';

/**
 * A recipe's own file as a fleet believes it. The process of a sweep holds credentials that are other recipes' too, so
 * a recipe cannot grant itself exceptions (`test.allow`): the fleet does, in `defaults`, or by a configuration that
 * lies beside fleet.yml. Commands on the host see what the process sees, and are for those two only.
 */
export function ofFleet(file: RecipeFile, defaults: Readonly<Record<string, unknown>>): RecipeFile {
  const { test } = file.value;
  if (test === undefined) return file;
  const allow = granted(defaults);
  if (!allow.includes('credentials') && hostCommands(test)) {
    throw new Failure(
      'host-commands-refused',
      'The recipe’s own configuration has commands that run on the host, beside the credentials of the fleet.',
      { remedy: 'Use `exec` or `run`; or review its configuration and keep it beside fleet.yml (`config`).' },
    );
  }
  return { ...file, value: { ...file.value, test: { ...test, allow } } };
}

/** What the fleet allows all its recipes. */
function granted({ test }: Readonly<Record<string, unknown>>): TestConfig['allow'] {
  const named = typeof test === 'object' && test !== null && 'allow' in test ? test.allow : [];
  const list: readonly unknown[] = Array.isArray(named) ? named : [named];
  return allowances.filter((name) => list.includes(name));
}

function hostCommands({ up, down, check, tiers = [], 'before-upgrade': before }: TestConfig): boolean {
  const commands: Command[] = [...check, ...before, ...tiers.flatMap((tier) => tier.commands ?? [])];
  return up !== undefined || down !== undefined || commands.some(({ kind }) => kind === 'host');
}
