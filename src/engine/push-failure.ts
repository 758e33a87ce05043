import { Failure } from '../outcome.ts';

/** What a push error means for what happens next; the table of the design. */
export type PushFailureClass = 'transient' | 'permission' | 'conflict' | 'unknown';

interface Saying {
  readonly class: PushFailureClass;
  readonly text: RegExp;
}

/** Read in this order: a refusal that also mentions a number is a refusal. */
const sayings: readonly Saying[] = [
  {
    class: 'conflict',
    text: /tag (?:is )?immutable|immutable tag|already exists and (?:cannot|can't) be overwritten|TAG_INVALID.*immutable|ImageTagAlreadyExists|configured as immutable/i,
  },
  {
    class: 'permission',
    text: /denied|unauthorized|authentication required|no basic auth credentials|authorization failed|insufficient_scope|write_package|not allowed to (?:create|write)|forbidden|\b40[13]\b/i,
  },
  {
    class: 'transient',
    text: /toomanyrequests|too many requests|\b(?:408|429|500|502|503|504)\b|internal server error|bad gateway|service unavailable|gateway time-?out|request timeout|unknown blob|blob[_ ]upload[_ ](?:invalid|unknown)|blob unknown to registry|\bEOF\b|connection (?:reset|refused|closed)|broken pipe|\b(?:read|write) tcp\b|use of closed network connection|transport connection broken|connection timed out|i\/o timeout|TLS handshake timeout|(?:context )?deadline exceeded|ECONNRESET|EPIPE|ETIMEDOUT|socket hang up|cannot reuse body|request must be retried|server misbehaving|temporary failure|server closed idle|unexpected http2|net\/http: request canceled/i,
  },
];

/**
 * Sorts the engine's words about a push that failed. What no row knows is `unknown`, and fails closed. The names in
 * the reference are taken out first: an image may be called `denied` or live on port 503.
 */
export function classifyPushFailure(message: string, reference: string): PushFailureClass {
  const names = reference.split(/[/@]|:(?=[^/]*$)/).filter((name) => name.length > 2);
  const words = names.reduce((text, name) => text.replaceAll(name, '…'), message);
  return sayings.find((saying) => saying.text.test(words))?.class ?? 'unknown';
}

/** The failure for a push that is given up. `host` is the registry's. */
export function pushFailure(message: string, host: string, reference: string): Failure {
  const shown = message.replace(/\s+/g, ' ').trim().slice(0, 200);
  switch (classifyPushFailure(message, reference)) {
    case 'permission':
      return new Failure('registry-denied', `${host} refused the push of ${reference}: ${shown}`, {
        remedy: permissionRemedy(message, host),
      });
    case 'conflict':
      return new Failure('dest-tag-conflict', `${host} does not let ${reference} move: ${shown}`);
    case 'transient':
      return new Failure('registry-unreachable', `${host} did not take the push of ${reference}: ${shown}`);
    default:
      return new Failure('registry-failed', `The push of ${reference} to ${host} failed: ${shown}`);
  }
}

function permissionRemedy(message: string, host: string): string {
  if (/write_package/.test(message)) {
    return 'Open the settings of the package, "Manage Actions access", and give this repository the role Write: the package was first pushed by somebody else and is not linked to it.';
  }
  if (/not allowed to (?:create|write) organization package/i.test(message)) {
    return 'Give the job `permissions: packages: write`. A pull request from a fork has a read-only token: there `push` must stay `auto`.';
  }
  if (/no basic auth credentials/.test(message)) {
    return `Set \`registry-username\` and \`registry-password\`, or log in to ${host}.`;
  }
  return `Check user name, password and rights for ${host}${
    host === 'ghcr.io' ? '; the job needs `permissions: packages: write`' : ''
  }. A pull request from a fork has no token that may push.`;
}
