import type { SessionEnd, SessionSignal } from '../session/session-link.js';

/** Of which session a message tells. */
type Told = Pick<SessionSignal, 'realm' | 'id' | 'userId'>;

/** The parts of a message in JSON; none for what is no list. */
export function partsOf(message: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(message);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

/** The signal of a message; undefined for a kind that nodes of another version may tell of. */
export function signalOf(kind: unknown, reason: unknown, told: Told): SessionSignal | undefined {
  if (kind === 'changed') return { type: kind, ...told };
  return kind === 'ended' ? { type: kind, ...told, reason: reason as SessionEnd } : undefined;
}
