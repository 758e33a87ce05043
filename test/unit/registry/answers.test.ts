import { describe, expect, it } from 'vitest';
import type { HttpResponse } from '../../../src/http/http.ts';
import { errorsOf, failureOf, isAbsence, isLostUpload } from '../../../src/registry/answers.ts';

const body = (code: string, message = '') => JSON.stringify({ errors: [{ code, message }] });
const answer = (status: number, text = '', headers: Record<string, string> = {}): HttpResponse => ({
  status,
  ok: status < 300,
  url: 'https://ghcr.io/v2/acme/app/manifests/1',
  method: 'GET',
  headers,
  body: new TextEncoder().encode(text),
  text: () => text,
  json: () => JSON.parse(text) as unknown,
});
const api = { 'docker-distribution-api-version': 'registry/2.0' };
const html = '<html><head><title>404 Not Found</title></head></html>';

describe('isAbsence', () => {
  it.each<[string, HttpResponse, boolean]>([
    ['a registry does not know the manifest', answer(404, body('MANIFEST_UNKNOWN')), true],
    ['a registry does not know the name', answer(404, body('NAME_UNKNOWN'), api), true],
    ['HEAD of a registry', answer(404, '', api), true],
    ['HEAD of who knows', answer(404), false],
    ['a proxy with HTML', answer(404, html, { 'content-type': 'text/html' }), false],
    ['a router with text', answer(404, '404 page not found\n'), false],
    ['a gateway with JSON', answer(404, '{"message":"no Route matched"}'), false],
    ['a denial that hides behind 404', answer(404, body('DENIED')), false],
    ['an HTML page with the header of a registry', answer(404, html, api), false],
    ['401', answer(401, body('UNAUTHORIZED'), api), false],
    ['403', answer(403, body('MANIFEST_UNKNOWN'), api), false],
    ['429', answer(429, '', api), false],
    ['503', answer(503, '', api), false],
    ['200', answer(200, '', api), false],
  ])('%s', (_, response, expected) => {
    expect(isAbsence(response)).toBe(expected);
  });
});

describe('errorsOf', () => {
  it.each(['', 'x', '[]', '{}', 'null', '{"errors":{}}', '{"errors":[1,null,{"code":1}]}', html])(
    'of %j are none',
    (text) => {
      expect(errorsOf(answer(400, text))).toEqual([]);
    },
  );
  it('are read, codes in upper case', () => {
    expect(errorsOf(answer(400, '{"errors":[{"code":"denied","message":"m"},{"code":"X"}]}'))).toEqual([
      { code: 'DENIED', message: 'm' },
      { code: 'X', message: '' },
    ]);
  });
});

it.each<[number, string, boolean]>([
  [404, body('BLOB_UPLOAD_UNKNOWN'), true],
  [400, body('BLOB_UPLOAD_INVALID'), true],
  [404, 'unknown blob', true],
  [400, '<html>blob upload invalid</html>', true],
  [400, body('DIGEST_INVALID'), false],
  [403, body('DENIED'), false],
  [201, 'unknown blob', false],
])('%i %s is a lost upload: %s', (status, text, expected) => {
  expect(isLostUpload(answer(status, text))).toBe(expected);
});

describe('failureOf', () => {
  const asked = { image: 'ghcr.io/acme/app', registry: 'ghcr.io', doing: 'push', anonymous: false } as const;
  const org = 'denied: installation not allowed to Create organization package';

  it.each<[string, HttpResponse, Partial<Parameters<typeof failureOf>[1]>, string, string]>([
    [
      'write_package',
      answer(403, body('DENIED', 'permission_denied: write_package')),
      {},
      'registry-denied',
      'Manage Actions access',
    ],
    ['organisation', answer(403, body('DENIED', org)), {}, 'registry-denied', 'permissions: packages: write'],
    [
      'scopes',
      answer(403, body('DENIED', 'The token provided does not match expected scopes.')),
      {},
      'registry-denied',
      'write:packages',
    ],
    [
      'no login',
      answer(401, body('UNAUTHORIZED')),
      { anonymous: true },
      'registry-denied',
      'forks have no credentials',
    ],
    ['wrong password', answer(401, body('UNAUTHORIZED')), {}, 'registry-denied', 'registry-username'],
    [
      'Docker Hub',
      answer(401, 'insufficient_scope'),
      { registry: 'docker.io' },
      'registry-denied',
      'Docker Hub',
    ],
    ['denied as 400', answer(400, body('DENIED')), {}, 'registry-denied', ''],
    ['denied as 404', answer(404, body('DENIED')), {}, 'registry-denied', ''],
    [
      'ECR immutable',
      answer(
        400,
        body(
          'TAG_INVALID',
          "The image tag '1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable.",
        ),
      ),
      { tag: '1' },
      'dest-tag-conflict',
      'new version',
    ],
    [
      'Harbor immutable',
      answer(412, body('PRECONDITION', "Failed to process request due to 'x:1' configured as immutable.")),
      { tag: '1' },
      'dest-tag-conflict',
      '',
    ],
    [
      'Artifact Registry immutable',
      answer(409, body('DENIED', 'cannot update tag 1. The repository has enabled tag immutability')),
      { tag: '1' },
      'dest-tag-conflict',
      '',
    ],
    [
      'immutable as 403',
      answer(403, body('DENIED', 'The tag is immutable')),
      { tag: '1' },
      'dest-tag-conflict',
      '',
    ],
    ['Quay immutable', answer(400, body('TAG_IMMUTABLE')), { tag: '1' }, 'dest-tag-conflict', ''],
    ['409 for a blob', answer(409), {}, 'registry-failed', ''],
    ['limits', answer(429, body('TOOMANYREQUESTS')), { doing: 'pull' }, 'registry-failed', 'Log in'],
    [
      'repository to be created',
      answer(404, body('NAME_UNKNOWN')),
      {},
      'registry-failed',
      'Create the repository',
    ],
    ['an unclear 404', answer(404, html), { doing: 'pull' }, 'cannot-determine', ''],
    ['503', answer(503, html), {}, 'registry-failed', ''],
    ['unknown', answer(418, 'teapot'), {}, 'registry-failed', ''],
  ])('%s', (_, response, more, code, remedy) => {
    const failure = failureOf(response, { ...asked, ...more }, 'GET x answered y');
    expect(failure.code).toBe(code);
    expect(failure.remedy).toContain(remedy);
    expect(failure.message).toContain('GET x answered y');
  });
});
