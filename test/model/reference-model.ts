import type { Admission, Session } from 'nestjs-session-auth';
import { Devices, isSignedInBy } from './reference-devices.js';
import type { ExpectedEvent, ModelSettings, Names, ReferenceSession, Seen } from './reference-session.js';

/**
 * Everything that the library promises about sessions and remembered devices, as one process with plain lists would
 * do it. Slow and obvious on purpose. What requests and logins do is in files of their own.
 */
export class ReferenceModel {
  sessions: ReferenceSession[] = [];
  events: ExpectedEvent[] = [];
  /** Handles of sessions that were begun, and that no answer names. */
  unnamed: string[] = [];
  /** What open requests have read. */
  readonly seen = new Map<Session, Seen>();
  readonly devices: Devices;

  constructor(
    readonly settings: ModelSettings,
    public now: number,
  ) {
    this.devices = new Devices(settings.rememberMe);
  }

  /** A copy of all that operations change in place. */
  clone(): ReferenceModel {
    const copy = new ReferenceModel(this.settings, this.now);
    copy.sessions = this.sessions.map(copyOf);
    for (const [request, seen] of this.seen) copy.seen.set(request, seen);
    copy.devices.all = this.devices.clone().all;
    return copy;
  }

  /** The session that a token is or was one of, expired or not. */
  byToken(token: string): ReferenceSession | undefined {
    return this.byHandle(token.slice(2, 22));
  }

  byHandle(id: string): ReferenceSession | undefined {
    return this.sessions.find((session) => session.id === id);
  }

  live(id: string): ReferenceSession | undefined {
    const session = this.byHandle(id);
    return session !== undefined && this.isLive(session) ? session : undefined;
  }

  isLive(session: ReferenceSession): boolean {
    return session.expiresAt > this.now;
  }

  /** Live sessions of a user, newest login first. */
  list(userId: string): ReferenceSession[] {
    return this.sessions
      .filter((session) => session.userId === userId && this.isLive(session))
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  }

  /** Ends a session, whatever is known of it; whether it was live. */
  end(id: string, reason: string): boolean {
    const session = this.byHandle(id);
    if (session === undefined) return false;
    this.remove(session);
    if (!this.isLive(session)) return false;
    this.emit({ type: 'session.destroyed', sessionId: id, userId: session.userId, reason });
    return true;
  }

  revoke(userId: string, id: string, reason: string): boolean {
    this.devices.forget((device) => device.userId === userId && isSignedInBy(device, id), this.now);
    this.fade(userId);
    return this.byHandle(id)?.userId === userId && this.end(id, reason);
  }

  revokeAll(userId: string, reason: string, keep?: string): number {
    this.devices.forgetAll(userId, keep, this.now);
    const others = this.sessions.filter((session) => session.userId === userId && session.id !== keep);
    const ended = others.filter(({ id }) => this.end(id, reason)).length;
    this.fade(userId);
    return ended;
  }

  updateUser(userId: string, changes: { readonly roles?: readonly string[]; readonly email?: string }): number {
    const live = this.list(userId);
    for (const session of live) {
      this.changeRoles(session, changes.roles ?? session.roles);
      session.email = changes.email ?? session.email;
      session.rotatedAt = 0;
    }
    this.fade(userId);
    return live.length;
  }

  changeRoles(session: ReferenceSession, roles: readonly string[]): void {
    if (session.roles.join() === roles.join()) return;
    session.roles = roles;
    session.tokens.changeRoles(roles);
  }

  /** Ends what is over the limit. */
  enforce(userId: string, { max, onLimit }: Admission): number {
    const kept = this.list(userId);
    if (onLimit === 'evict-least-recent') kept.sort((a, b) => b.lastActivityAt - a.lastActivityAt);
    this.fade(userId);
    const surplus = kept.slice(Math.min(max, kept.length));
    for (const session of surplus) this.revoke(userId, session.id, 'limit_lowered');
    return surplus.length;
  }

  /** Takes note of what a sweep has removed: nothing live, everything else unless there was no room for it. */
  sweep(removed: readonly string[], limit: number, expiresByItself: boolean): void {
    const expired = this.sessions.filter((session) => !this.isLive(session));
    for (const id of removed) {
      if (!expired.some((session) => session.id === id))
        throw new Error(`the sweep removed ${id}, which has not expired`);
    }
    const left = expired.filter((session) => !removed.includes(session.id));
    if (!expiresByItself && removed.length < limit && left.some((session) => !session.faded)) {
      throw new Error(`the sweep left ${left.map((session) => session.id).join()}`);
    }
    for (const session of expired) if (removed.includes(session.id)) this.remove(session);
  }

  /** A store whose reads remove what has expired was asked for a user's sessions. */
  fade(userId: string | undefined): void {
    for (const session of this.sessions) {
      if (userId !== undefined && session.userId === userId && !this.isLive(session)) session.faded = true;
    }
  }

  /**
   * Names for a session that the operation's own answer does not name: it was ended again in the operation that began
   * it. An earlier answer may have named it, with the token that it is begun with.
   */
  takeUnnamed(token: string | undefined): Names {
    if (token !== undefined) {
      const known = token.slice(2, 22);
      this.unnamed = this.unnamed.filter((id) => id !== known);
      return { id: known, token };
    }
    const id = this.unnamed.shift() ?? 'none';
    return { id, token: `..${id}, unknown` };
  }

  emit(fields: ExpectedEvent['fields'], optional = false): void {
    this.events.push({ fields, optional });
  }

  remove(session: ReferenceSession): void {
    this.sessions = this.sessions.filter((each) => each !== session);
  }
}

/** A copy that does not change with the session. */
export function copyOf(session: ReferenceSession): ReferenceSession {
  return { ...session, data: { ...session.data }, tokens: session.tokens.clone() };
}
