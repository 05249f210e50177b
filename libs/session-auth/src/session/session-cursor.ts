import { SessionAuthError } from '../errors/session-auth.error.js';

/** A place in a list of sessions that is ordered by `createdAt`, then handle, both falling. */
export interface SessionCursor {
  readonly createdAt: number;
  readonly id: string;
}

const CURSOR = /^(\d{1,15})\.([A-Za-z0-9_-]{20})$/;

/** The text of a place: what a page's `next` holds. */
export function formatSessionCursor(place: SessionCursor): string {
  return `${place.createdAt}.${place.id}`;
}

/**
 * The place that a text names; undefined for undefined.
 *
 * @throws SessionAuthError `invalid_request` for any other text
 */
export function parseSessionCursor(text: string | undefined): SessionCursor | undefined {
  if (text === undefined) return undefined;
  const match = CURSOR.exec(text);
  if (match === null) throw new SessionAuthError('invalid_request', 'the cursor is none that a page was answered with');
  return { createdAt: Number(match[1]), id: match[2]! };
}

/** Whether a session stands behind a place, in falling order. */
export function isBehind(session: SessionCursor, place: SessionCursor): boolean {
  return session.createdAt < place.createdAt || (session.createdAt === place.createdAt && session.id < place.id);
}

/** The order of lists: newest first, equal times by falling handle. */
export function newestFirst(a: SessionCursor, b: SessionCursor): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}
