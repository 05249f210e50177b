import type { Session } from '../session/session.js';
import { deviceName } from '../users/client.js';
import type { SessionListItem } from './answers.js';

/** A session as one of the items of the answer. */
export function toListItem(session: Session, currentId: string): SessionListItem {
  const { id, ip, createdAt, lastActivityAt, expiresAt, authentication } = session.toJSON();
  return {
    id,
    current: id === currentId,
    device: deviceName(session.userAgent),
    ip,
    createdAt,
    lastActivityAt,
    expiresAt,
    authentication,
  };
}
