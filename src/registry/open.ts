import type { Reference } from '../oci/reference.ts';
import type { Session } from './session.ts';

/** Asks the base of the API without any credential: 401 and 403 mean that it wants one, all else but success fails. */
export async function isOpen(session: Session, reference: Reference): Promise<boolean> {
  const url = new URL('/v2/', session.urlOf(reference, '')).href;
  const response = await session.http.request({
    url,
    codes: { unreachable: 'registry-unreachable', invalid: 'registry-failed' },
  });
  if (response.ok) return true;
  if (response.status === 401 || response.status === 403) return false;
  throw session.failure(reference, 'pull', response);
}
