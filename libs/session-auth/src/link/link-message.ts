import type { SessionChanged, SessionEnd, SessionSignal } from '../session/session-link.js';

/** The session of a message. */
type Told = Pick<SessionChanged, 'realm' | 'id' | 'userId'>;

/** Returns the parts of a message in JSON; an empty list for anything that is not a list. */
export function partsOf(message: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(message);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

/** Returns the signal of a message; undefined for a kind that only other versions know. */
export function signalOf(kind: unknown, reason: unknown, told: Told): SessionSignal | undefined {
  if (kind === 'changed') return { type: kind, ...told };
  if (kind === 'all_ended') return { type: kind, realm: told.realm, reason: reason as SessionEnd };
  return kind === 'ended' ? { type: kind, ...told, reason: reason as SessionEnd } : undefined;
}
