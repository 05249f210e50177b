import type { Admission, SessionData } from 'nestjs-session-auth';
import { Devices, type Device } from './reference-devices.js';
import {
  Refused,
  type ExpectedEvent,
  type Login,
  type ModelSettings,
  type Names,
  type ReferenceSession,
} from './reference-session.js';

const NO_LIMIT: Admission = { max: Infinity, onLimit: 'reject' };

/**
 * Everything that the library promises about sessions and remembered devices, as one process with plain lists would
 * do it. Slow and obvious on purpose.
 */
export class ReferenceModel {
  sessions: ReferenceSession[] = [];
  events: ExpectedEvent[] = [];
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
    copy.sessions = this.sessions.map((session) => ({ ...session, data: { ...session.data } }));
    copy.devices.all = this.devices.all.map((device) => ({ ...device, replaced: [...device.replaced] }));
    return copy;
  }

  /** The session that a token stands for, expired or not. */
  byToken(token: string): ReferenceSession | undefined {
    return this.sessions.find(
      (session) =>
        session.token === token || session.replaced.some((old) => old.token === token && old.until > this.now),
    );
  }

  live(token: string): ReferenceSession | undefined {
    const session = this.byToken(token);
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

  /** @param named the names that the new session got; undefined when it got none, which is right where it is refused */
  create(login: Login, named: Names | undefined): ReferenceSession {
    const userId = login.user === undefined ? undefined : String(login.user.id);
    if (dataBytes(login.data) > this.settings.maxDataSize) throw Refused.with('session_data_too_large');
    if (login.identity !== undefined) {
      const { token, id } = login.identity;
      if (this.live(token) !== undefined) return this.find(token)!;
      if (this.sessions.some((session) => session.id === id && this.isLive(session))) {
        // the session has another token by now
        throw Refused.with('session_required');
      }
      this.sessions = this.sessions.filter((session) => session.token !== token);
      for (const session of this.sessions) if (session.id === id) session.faded = true;
    }
    this.#admit(userId, login.admission);
    this.#fade(userId);
    const { id, token } = named ?? { id: '', token: '' };
    const session: ReferenceSession = {
      id,
      token,
      userId,
      email: login.user?.email ?? undefined,
      roles: login.user?.roles ?? [],
      createdAt: this.now,
      authenticatedAt: userId === undefined ? undefined : (login.authenticatedAt ?? this.now),
      authentication: userId === undefined ? undefined : (login.authentication ?? 'custom'),
      rotatedAt: this.now,
      lastActivityAt: this.now,
      expiresAt: this.now + Math.min(this.settings.idle, this.settings.absolute),
      absoluteExpiresAt: this.now + this.settings.absolute,
      ip: login.ip,
      data: { ...login.data },
      replaced: [],
      faded: false,
    };
    this.sessions.push(session);
    this.emit({ type: 'session.created', sessionId: id, userId, authentication: session.authentication });
    return session;
  }

  find(token: string): ReferenceSession | undefined {
    const session = this.byToken(token);
    if (session === undefined || !this.isLive(session)) {
      if (session !== undefined) {
        this.#remove(session);
        this.emit({ type: 'session.expired', sessionId: session.id, userId: session.userId }, session.faded);
      }
      this.emit({ type: 'session.used_after_end' });
      return undefined;
    }
    if (this.now - session.lastActivityAt >= this.settings.touchInterval) {
      session.lastActivityAt = this.now;
      session.expiresAt = Math.min(this.now + this.settings.idle, session.absoluteExpiresAt);
    }
    return session;
  }

  update(token: string, patch: SessionData): SessionData {
    const session = this.live(token);
    if (session === undefined) throw Refused.with('session_required');
    const merged = Object.fromEntries(
      Object.entries({ ...session.data, ...patch }).filter(([, value]) => value !== undefined),
    );
    const bytes = dataBytes(merged);
    if (bytes > this.settings.maxDataSize && bytes > dataBytes(session.data)) {
      throw Refused.with('session_data_too_large');
    }
    for (const key of Object.keys(session.data)) delete session.data[key];
    return Object.assign(session.data, merged);
  }

  /** Undefined: another rotation was first. */
  rotate(
    token: string,
    next: string | undefined,
    options: { grace: number; reason: string; factor?: string; changes?: Partial<ReferenceSession> },
  ): ReferenceSession | undefined {
    const { grace, reason, factor, changes = {} } = options;
    const session = this.live(token);
    if (session === undefined) throw Refused.with('session_required');
    if (session.token !== token) return undefined;
    const until = this.now + grace;
    session.replaced = [...session.replaced, { token, until: Infinity }]
      .map((old) => ({ token: old.token, until: Math.min(old.until, until) }))
      .filter((old) => old.until > this.now);
    const given = Object.entries(changes).filter(([, value]) => value !== undefined);
    Object.assign(session, Object.fromEntries(given), { token: next ?? '', rotatedAt: this.now });
    this.emit({ type: 'session.rotated', sessionId: session.id, userId: session.userId, reason, factor });
    return session;
  }

  /** Ends the session of a token; whether it was live. */
  destroy(token: string, reason: string): boolean {
    const session = this.byToken(token);
    return session !== undefined && this.#end(session, reason);
  }

  /** Ends a session at hand, whatever token of it was known; whether it was live. */
  destroySession(token: string, { userId, id }: Pick<ReferenceSession, 'userId' | 'id'>, reason: string): boolean {
    if (this.destroy(token, reason)) return true;
    const session = this.sessions.find((each) => userId !== undefined && each.userId === userId && each.id === id);
    return session !== undefined && this.#end(session, reason);
  }

  revoke(userId: string, id: string, reason: string): boolean {
    this.devices.forget((device) => device.userId === userId && device.sessionId === id, this.now);
    const session = this.sessions.find((each) => each.userId === userId && each.id === id);
    this.#fade(userId);
    return session !== undefined && this.#end(session, reason);
  }

  revokeAll(userId: string, reason: string, keep?: string): number {
    this.devices.forget((device) => device.userId === userId && device.sessionId !== keep, this.now);
    let ended = 0;
    for (const session of [...this.sessions]) {
      if (session.userId === userId && session.id !== keep && this.#end(session, reason)) ended += 1;
    }
    this.#fade(userId);
    return ended;
  }

  updateUser(userId: string, changes: { readonly roles?: readonly string[]; readonly email?: string }): number {
    const live = this.list(userId);
    for (const session of live) {
      session.roles = changes.roles ?? session.roles;
      session.email = changes.email ?? session.email;
      session.rotatedAt = 0;
    }
    this.#fade(userId);
    return live.length;
  }

  /** Ends what is over the limit. */
  enforce(userId: string, { max, onLimit }: Admission): number {
    const kept = this.list(userId);
    if (onLimit === 'evict-least-recent') kept.sort((a, b) => b.lastActivityAt - a.lastActivityAt);
    this.#fade(userId);
    const surplus = kept.slice(Math.min(max, kept.length));
    for (const session of surplus) this.revoke(userId, session.id, 'limit_lowered');
    return surplus.length;
  }

  /** A theft: every device and, by the settings, every session of the user ends. */
  theft(device: Device): void {
    const { userId } = device;
    const revokedTokens = this.devices.list(userId, this.now).length;
    this.devices.forget((each) => each.userId === userId, this.now);
    const { onTheft } = this.settings.rememberMe;
    const revokedSessions = onTheft === 'revoke-tokens' ? 0 : this.revokeAll(userId, 'remember_me_theft');
    this.emit({ type: 'remember_me.theft', userId, tokenId: device.id, revokedTokens, revokedSessions });
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
    for (const session of expired) if (removed.includes(session.id)) this.#remove(session);
  }

  /** A store whose reads remove what has expired was asked for a user's sessions. */
  fade(userId: string): void {
    this.#fade(userId);
  }

  emit(fields: ExpectedEvent['fields'], optional = false): void {
    this.events.push({ fields, optional });
  }

  #admit(userId: string | undefined, { max, onLimit }: Admission = NO_LIMIT): void {
    if (userId === undefined) return;
    const live = this.list(userId).reverse();
    if (onLimit === 'evict-least-recent') live.sort((a, b) => a.lastActivityAt - b.lastActivityAt);
    const surplus = Math.max(live.length - max + 1, 0);
    if (surplus > 0 && onLimit === 'reject') {
      this.#fade(userId);
      this.emit({ type: 'session.limit_reached', userId });
      throw Refused.with('session_limit_reached');
    }
    for (const session of live.slice(0, surplus)) {
      this.#remove(session);
      this.emit({ type: 'session.evicted', sessionId: session.id, userId });
    }
  }

  #end(session: ReferenceSession, reason: string): boolean {
    this.#remove(session);
    if (!this.isLive(session)) return false;
    this.emit({ type: 'session.destroyed', sessionId: session.id, userId: session.userId, reason });
    return true;
  }

  #remove(session: ReferenceSession): void {
    this.sessions = this.sessions.filter((each) => each !== session);
  }

  #fade(userId: string | undefined): void {
    for (const session of this.sessions) {
      if (userId !== undefined && session.userId === userId && !this.isLive(session)) session.faded = true;
    }
  }
}

/** Bytes of JSON, every key with its value. */
function dataBytes(data: SessionData): number {
  return Object.entries(data).reduce(
    (bytes, [key, value]) => bytes + Buffer.byteLength(`${JSON.stringify(key)}:${JSON.stringify(value)}`),
    0,
  );
}
