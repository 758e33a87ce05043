import { describe, expect, it } from 'vitest';
import { gitFailure } from '../../../src/git/failures.ts';

const remote = 'https://git.example.org/acme/app.git';
const failed = (stderr: string) => gitFailure({ command: 'fetch', code: 128, stderr, remote });

describe('what git said', () => {
  it.each([
    [
      "error: unable to read askpass response from '/run/x'\nfatal: could not read Username for 'https://git.example.org'",
      'git-denied',
      "refused at https://git.example.org/acme/app.git: fatal: could not read Username for 'https://git.example.org'",
    ],
    ['fatal: unable to access: The requested URL returned error: 403', 'git-denied', 'error: 403'],
    ['fatal: unable to access: The requested URL returned error: 503', 'git-unreachable', 'error: 503'],
    ["fatal: unable to access: Couldn't connect to server", 'git-unreachable', 'no answer'],
    ['warning: redirecting to elsewhere', 'git-failed', 'redirects'],
    ['remote: Counting objects: 3\nhint: do this\nfatal: bad object', 'git-failed', ': fatal: bad object'],
    ['', 'git-failed', 'it said nothing'],
  ])('%j is %s', (stderr, code, says) => {
    const failure = failed(stderr);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(says);
    expect(failure.message).not.toMatch(/hint|Counting|askpass/);
  });

  it('is never an answer of a remote that was not spoken to', () => {
    const { code } = gitFailure({ command: 'mktree', code: 128, stderr: 'error: 403' });
    expect(code).toBe('git-failed');
  });
});
