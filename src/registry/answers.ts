import type { HttpResponse } from '../http/http.ts';
import { Failure } from '../outcome.ts';
import { reasons } from '../reasons.ts';

/** One entry of an error answer (distribution spec, "Error Codes"). */
export interface RegistryError {
  readonly code: string;
  readonly message: string;
}

/** What was asked, for messages and remedies. */
export interface Asked {
  /** As people write it: `ghcr.io/acme/app`. */
  readonly image: string;
  readonly registry: string;
  readonly doing: 'pull' | 'push';
  /** Whether there was nothing to log in with. */
  readonly anonymous: boolean;
  /** Set where a tag is written. */
  readonly tag?: string | undefined;
}

const DENIALS: ReadonlySet<string> = new Set(['DENIED', 'UNAUTHORIZED']);
const LOST_UPLOADS: ReadonlySet<string> = new Set([
  'BLOB_UPLOAD_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UNKNOWN',
]);

/** The errors in a body of the specified form; none where the answer is not of a registry. */
export function errorsOf(response: HttpResponse): readonly RegistryError[] {
  let body: unknown;
  try {
    body = JSON.parse(response.text());
  } catch {
    return [];
  }
  const errors = typeof body === 'object' && body !== null && 'errors' in body ? body.errors : undefined;
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((error: unknown) => {
    if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string')
      return [];
    const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
    return [{ code: error.code.toUpperCase(), message }];
  });
}

/**
 * Whether this answer says for certain that something is not there: a 404 of a registry, known by its errors or its
 * own header. The 404 of a proxy before a registry that is down looks the same by status, and is no answer.
 */
export function isAbsence(response: HttpResponse): boolean {
  if (response.status !== 404) return false;
  const errors = errorsOf(response);
  if (errors.length > 0) return !errors.some(({ code }) => DENIALS.has(code));
  return response.headers['docker-distribution-api-version'] === 'registry/2.0' && response.body.length === 0;
}

/** Whether an upload was forgotten or broken off by the registry, so that it can start again. */
export function isLostUpload(response: HttpResponse): boolean {
  if (response.ok) return false;
  if (errorsOf(response).some(({ code }) => LOST_UPLOADS.has(code))) return true;
  return /unknown blob|blob upload invalid/i.test(response.text());
}

/**
 * The Failure for an answer that is neither success nor certain absence; `said` quotes it, masked. The cause of a
 * `registry-failed` has the status, for those who try again themselves.
 */
export function failureOf(response: HttpResponse, asked: Asked, said: string): Failure {
  const { status } = response;
  const text = response.text();
  const codes = errorsOf(response).map(({ code }) => code);
  if (asked.tag !== undefined && isConflict(status, text)) {
    return new Failure(
      'dest-tag-conflict',
      `${asked.registry} does not let the tag ${asked.tag} be overwritten: ${said}.`,
    );
  }
  if (status === 401 || status === 403 || codes.some((code) => DENIALS.has(code))) {
    const login = asked.anonymous ? ', without a login' : '';
    const message = `${asked.registry} refused to ${asked.doing} ${asked.image}${login}: ${said}.`;
    return new Failure('registry-denied', message, {
      remedy: permissionRemedy(text, asked),
      host: asked.registry,
    });
  }
  if (status === 429) {
    return new Failure('registry-failed', `${asked.registry} limits how often it may be asked: ${said}.`, {
      remedy: 'Log in to the registry, or try again later.',
      cause: { status },
      host: asked.registry,
    });
  }
  if (status === 404 && codes.length === 0) {
    return new Failure(
      'cannot-determine',
      `A 404 for ${asked.image} is not of the form a registry gives: ${said}.`,
      { host: asked.registry },
    );
  }
  const message = `${asked.registry} failed to ${asked.doing} ${asked.image}: ${said}.`;
  const missing = asked.doing === 'push' && codes.includes('NAME_UNKNOWN');
  return new Failure('registry-failed', message, {
    cause: { status },
    host: asked.registry,
    ...(missing ? { remedy: 'Create the repository in the registry first.' } : {}),
  });
}

/** Immutable tags: each registry has its own status and words (ECR 400, Harbor 412, Artifact Registry and ACR 409 …). */
function isConflict(status: number, text: string): boolean {
  if (status === 409 || status === 412) return true;
  return status >= 400 && status < 500 && /immutab|cannot be overwritten|tag\s?already\s?exists/i.test(text);
}

function permissionRemedy(text: string, asked: Asked): string {
  if (/write_package/i.test(text)) {
    return (
      'On GitHub, open the settings of the package and give this repository the role Write under ' +
      '"Manage Actions access"; the job needs `permissions: packages: write`.'
    );
  }
  if (/installation not allowed to (?:create|write) organization package/i.test(text)) {
    return (
      'Give the job `permissions: packages: write`. A pull request of a fork never gets it; if the job has it, an ' +
      'owner of the organisation must allow packages to be created.'
    );
  }
  if (/expected scopes|read_package/i.test(text)) {
    return 'The token needs the scope `read:packages`, to push `write:packages`.';
  }
  if (asked.anonymous) {
    return (
      `Log in to ${asked.registry}: \`registry-username\` and \`registry-password\`, \`registries\`, or docker login. ` +
      'Pull requests of forks have no credentials.'
    );
  }
  if (asked.registry === 'docker.io') {
    return 'Check that the repository exists on Docker Hub and that the access token may do this.';
  }
  return reasons['registry-denied'].remedy;
}
