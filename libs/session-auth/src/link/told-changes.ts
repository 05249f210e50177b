import type { SessionRecordChanges } from '../session/session-record.js';

const TOLD = ['roles', 'email', 'factors', 'authentication', 'authenticatedAt'] as const;

/** Whether the link tells of a rotation: it changes who the user is known to be, and not only the token. */
export function changesWhatIsTold(changes: SessionRecordChanges): boolean {
  return TOLD.some((field) => changes[field] !== undefined);
}
