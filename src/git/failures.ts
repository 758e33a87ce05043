import { Failure } from '../outcome.ts';

/** What git said when it ended with an error, as far as it is worth telling. */
export interface GitError {
  /** The subcommand, `fetch`. */
  readonly command: string;
  /** Exit code; `undefined` where a signal ended it. */
  readonly code: number | undefined;
  readonly stderr: string;
  /** The address that was spoken to, without credentials. */
  readonly remote?: string | undefined;
}

/** Refused: who we are was not accepted. Forges answer "not found" to those who may not know that it exists. */
const DENIED =
  /could not read (?:Username|Password)|Authentication failed|terminal prompts disabled|Permission denied|Host key verification failed|HTTP 40[1347]|returned error: 40[1347]|access denied|not authorized|does not appear to be a git repository|Repository not found|repository '.*' not found|pre-receive hook declined|protected branch|GH0\d\d/i;

/** Not answered, or not now. */
const UNREACHABLE =
  /Could not resolve|Couldn't connect|Failed to connect|Connection (?:refused|reset|timed out|closed)|timed out|No route to host|Network is unreachable|early EOF|unexpected disconnect|the remote end hung up|RPC failed|Empty reply|HTTP (?:408|429|5\d\d)|returned error: (?:408|429|5\d\d)|Operation too slow|SSL|TLS|gnutls|schannel/i;

/**
 * Which Failure a call that spoke to a remote ended in. None of them means "absent": what was not answered, or
 * answered to strangers only, stays unknown.
 */
export function gitFailure(error: GitError): Failure {
  const said = lastLines(error.stderr);
  const where = error.remote === undefined ? '' : ` at ${error.remote}`;
  if (error.remote !== undefined) {
    if (DENIED.test(error.stderr)) {
      return new Failure('git-denied', `git ${error.command} was refused${where}: ${said}`);
    }
    if (UNREACHABLE.test(error.stderr)) {
      return new Failure('git-unreachable', `git ${error.command} got no answer${where}: ${said}`);
    }
    if (/redirect/i.test(error.stderr)) {
      return new Failure('git-failed', `The address ${error.remote} redirects to another one: ${said}`, {
        remedy: 'Use the address that it redirects to; credentials do not follow redirects.',
      });
    }
  }
  const how = error.code === undefined ? 'was ended by a signal' : `ended with ${error.code}`;
  return new Failure('git-failed', `git ${error.command} ${how}${where}: ${said}`);
}

/** Hints, progress, and that nobody answered git's question for a password, which the next line says with the host. */
const NOISE =
  /^hint:|^remote: (?:Counting|Compressing|Enumerating|Total)|^error: unable to read askpass response/;

/** The lines that say why, as a sentence; some 600 characters at most. */
function lastLines(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !NOISE.test(line));
  const text = lines.slice(-4).join(' · ');
  // A sentence of ours comes behind it.
  return text === '' ? 'it said nothing.' : text.slice(-600).replace(/(?<![.!?])$/, '.');
}
