import type { SessionRecordChanges } from '../session/session-record.js';

const TOLD = ['roles', 'email', 'factors', 'authentication', 'authenticatedAt'] as const;

/** Whether the link reports a rotation: it changes what is known about the user, not only the token. */
export function changesWhatIsTold(changes: SessionRecordChanges): boolean {
  return TOLD.some((field) => changes[field] !== undefined);
}
