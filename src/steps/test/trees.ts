import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestRules } from '../../rules/test-plan.ts';
import type { StepInput } from '../step.ts';

/** The trees that a test reads, laid out once each in the run's own folder. */
export interface Trees {
  /** The candidate's files: the checkout, unless it is somebody else's commit beside a trusted one. */
  candidate(needed: boolean): Promise<string>;
  /** The release branch's files: scripts of `run` and `host` commands come from there only. */
  trusted(): Promise<string>;
  of(commit: string): Promise<string>;
  remove(): void;
}

export function treesOf({ tools, out, workspace, settings, runContext }: StepInput, rules: TestRules): Trees {
  const root = join(out, 'trees');
  const made = new Map<string, Promise<string>>();
  const of = (commit: string): Promise<string> => {
    const known = made.get(commit);
    if (known !== undefined) return known;
    const making = (async () => {
      const folder = join(root, commit);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(root, { recursive: true });
      return join(await tools.layOut(commit, folder), settings.context);
    })();
    made.set(commit, making);
    return making;
  };
  return {
    of,
    candidate: async (needed) => join(needed ? await tools.tree() : workspace, settings.context),
    trusted: async () =>
      runContext === 'release' ? join(await tools.tree(), settings.context) : of(rules.tip),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
