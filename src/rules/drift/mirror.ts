import { type Finding, finding } from '../../outcome.ts';
import { type Known, open } from './looked-up.ts';

/** A repository as it is asked now: commit by tag. */
export interface MirrorFacts {
  readonly recipe: string;
  /** Addresses without credentials, for people. */
  readonly mirror: string;
  readonly upstream: string;
  readonly compared: Known<{
    readonly mirrorTags: ReadonlyMap<string, string>;
    readonly upstreamTags: ReadonlyMap<string, string>;
    /** The mirror's branch is at, behind, or beside the branch of that name upstream. */
    readonly branch: 'same' | 'behind' | 'diverged';
    readonly branchName: string;
  }>;
}

const MOST_NAMES = 5;

/** The mirror has what upstream has, and nothing else under its names. */
export function checkMirror({ recipe, mirror, upstream, compared }: MirrorFacts): Finding[] {
  if ('unanswered' in compared) return [open(`Mirror and upstream of ${recipe}`, compared)];
  const { mirrorTags, upstreamTags, branch, branchName } = compared.known;
  const missing = [...upstreamTags.keys()].filter((tag) => !mirrorTags.has(tag));
  const moved = [...mirrorTags].filter(([tag, commit]) => {
    const theirs = upstreamTags.get(tag);
    return theirs !== undefined && theirs !== commit;
  });
  const findings: Finding[] = [];
  if (moved.length > 0) {
    const names = listed(moved.map(([tag]) => tag));
    const message = `${mirror} has other commits than ${upstream} under the tags ${names}.`;
    findings.push(finding('mirror-diverged', 'error', message));
  }
  if (branch === 'diverged') {
    const message = `${branchName} of ${mirror} has commits that ${upstream} does not have.`;
    findings.push(finding('mirror-diverged', 'error', message));
  }
  if (missing.length > 0) {
    const message = `${mirror} lacks tags that ${upstream} has: ${listed(missing)}.`;
    findings.push(finding('mirror-behind', 'warning', message));
  }
  if (branch === 'behind') {
    findings.push(finding('mirror-behind', 'warning', `${branchName} of ${mirror} is behind ${upstream}.`));
  }
  return findings;
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
