import { SessionAuthError } from '../errors/session-auth.error.js';

/** A position in a list of sessions, ordered by `createdAt`, then handle, both descending. */
export interface SessionCursor {
  readonly createdAt: number;
  readonly id: string;
}

const CURSOR = /^(\d{1,15})\.([A-Za-z0-9_-]{20})$/;

/** Returns the text of a position: the `next` of a page. */
export function formatSessionCursor(place: SessionCursor): string {
  return `${place.createdAt}.${place.id}`;
}

/**
 * Returns the position of a text; undefined for undefined.
 *
 * @throws SessionAuthError `invalid_request` for any other text
 */
export function parseSessionCursor(text: string | undefined): SessionCursor | undefined {
  if (text === undefined) return undefined;
  const match = CURSOR.exec(text);
  if (match === null)
    throw new SessionAuthError('invalid_request', 'unknown cursor: use the `next` of a previous page');
  return { createdAt: Number(match[1]), id: match[2]! };
}

/** Whether a session comes after a position, in descending order. */
export function isBehind(session: SessionCursor, place: SessionCursor): boolean {
  return session.createdAt < place.createdAt || (session.createdAt === place.createdAt && session.id < place.id);
}

/** The order of lists: newest first, equal times by descending handle. */
export function newestFirst(a: SessionCursor, b: SessionCursor): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}
