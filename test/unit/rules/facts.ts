import { readFileSync } from 'node:fs';
import { Failure } from '../../../src/outcome.ts';
import type { TagFact } from '../../../src/rules/releases.ts';
import { type StepBackInput, stepBack } from '../../../src/rules/step-back.ts';

/** The commit and tree of a tag in these tests, unless they say otherwise. */
export const commitOf = (tag: string): string => `commit of ${tag}`;
export const treeOf = (tag: string): string => `tree of ${tag}`;

/** A tag on a commit of its own, on the release branch and before the candidate. */
export function tag(name: string, more: Partial<TagFact> = {}): TagFact {
  return { name, commit: commitOf(name), tree: treeOf(name), reachable: true, ancestor: true, ...more };
}

/** Asks with the usual answers where the test gives none: a change, untagged commit, everything reachable. */
export function asked(
  version: string | undefined,
  tags: readonly (string | TagFact)[],
  more: Partial<Omit<StepBackInput, 'target'>> & { target?: Partial<StepBackInput['target']> } = {},
): StepBackInput {
  return {
    context: 'change',
    pattern: '*',
    knownBroken: [],
    upgrade: true,
    maxMajorStep: 1,
    now: new Date('2026-06-15T12:00:00Z'),
    tags: tags.map((entry) => (typeof entry === 'string' ? tag(entry) : entry)),
    ...more,
    target: {
      version: version === undefined ? { state: 'untagged' } : { state: 'stated', raw: version },
      commit: 'commit of the candidate',
      tree: 'tree of the candidate',
      ...more.target,
    },
  };
}

/** The answer in one line: `run <tag> <reason> <notes>`, `na <reason>`, `skip <reason>`, or `error <code>`. */
export function answered(input: StepBackInput): string {
  try {
    const { decision, reason, base, notes } = stepBack(input);
    const remarks = notes.map(({ code, about }) => (code === 'canonical-lags' ? `${code}:${about}` : code));
    return [decision, ...(base === undefined ? [] : [base.tag]), reason, ...remarks].join(' ');
  } catch (error) {
    if (error instanceof Failure) return `error ${error.code}`;
    throw error;
  }
}

/** A canonical whose tag is where it was. */
export function canonical(
  version: string,
  more: { commit?: string; tag?: string } = {},
): StepBackInput['canonical'] {
  return { version, tag: more.tag ?? version, commit: more.commit ?? commitOf(more.tag ?? version) };
}

/** A real tag list of `test/fixtures/tags`, as one of its branches reaches it. */
export function realTags(list: string, branch: string): TagFact[] {
  const text = readFileSync(new URL(`../../fixtures/tags/${list}.txt`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const parts = line.split(' ');
      const name = parts[0]!;
      const reached = parts.at(-1)!.split(',').includes(branch);
      const [commit, tree] = parts.length > 2 ? [parts[1]!, parts[2]!] : [commitOf(name), treeOf(name)];
      return { name, commit, tree, reachable: reached, ancestor: reached };
    });
}
