import { Failure } from '../outcome.ts';

/** Where the setting `ledger` points: a branch of a git remote, or a folder. */
export type LedgerSetting =
  | { readonly kind: 'git'; readonly remote: string; readonly branch: string }
  | { readonly kind: 'file'; readonly folder: string };

/** The branch of a git ledger that names none. */
export const defaultBranch = 'knowngood';

const BRANCH = /^(?![-/.])(?!.*(?:\.\.|\/\/|\/\.|@\{|\.lock$|\.lock\/))[A-Za-z0-9._/-]{1,200}(?<![/.])$/;

/** Reads `git:<remote>[#<branch>]` or `file:<folder>`; fails with `ledger-invalid`. The remote is checked by git/. */
export function parseLedgerSetting(text: string): LedgerSetting {
  if (text.startsWith('file:') && text.length > 5) return { kind: 'file', folder: text.slice(5) };
  if (text.startsWith('git:')) {
    const hash = text.lastIndexOf('#');
    const remote = text.slice(4, hash < 0 ? undefined : hash);
    const branch = hash < 0 ? defaultBranch : text.slice(hash + 1);
    if (remote !== '' && BRANCH.test(branch)) return { kind: 'git', remote, branch };
  }
  // The text may hold a credential in its address, so it is not shown.
  throw new Failure(
    'ledger-invalid',
    'The setting `ledger` is neither `git:<remote>#<branch>` nor `file:<folder>`.',
  );
}
