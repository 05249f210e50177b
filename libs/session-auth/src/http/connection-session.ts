import type { LiveSession, SessionFollower } from '../link/live-session.js';
import type { LiveSessions } from '../link/live-sessions.js';
import { sessionEnded } from '../session/session-required.js';
import type { Session } from '../session/session.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { RequestServices } from './request-services.js';

/** The session of an open connection in one realm, in its state at each message, not in that of the opening. */
export class ConnectionSession {
  #whenOver: readonly (() => void)[] | undefined;
  #isOver = false;

  /**
   * @param live undefined: the connection was opened without a session of this realm
   * @param countsAsActivity whether messages keep the session alive
   */
  constructor(
    readonly services: RequestServices,
    private readonly sessions: LiveSessions,
    readonly client: ClientInfo,
    private readonly live: LiveSession | undefined,
    private readonly countsAsActivity: boolean,
  ) {}

  get realm(): string {
    return this.services.realm;
  }

  /** As in {@link SeveralSessions.present}. */
  get present(): this {
    return this;
  }

  /**
   * Returns the session; undefined if there was none when the connection opened.
   *
   * @throws SessionAuthError `session_required` when it has ended: a handler whose guard found it must not run without
   *   it
   */
  async load(): Promise<Session | undefined> {
    if (this.live === undefined) return undefined;
    const session = await this.sessions.load(this.live, this);
    if (session === undefined) throw sessionEnded();
    return session;
  }

  /** As {@link load}: a message signs nobody in. */
  loadLive(): Promise<Session | undefined> {
    return this.load();
  }

  /** As {@link RequestServices.findUser}, which also closes this connection. */
  async loadUser(): Promise<SessionUser | undefined> {
    const session = await this.load();
    return session?.userId === undefined ? undefined : this.services.findUser(session.userId, this.client);
  }

  /** Called for each message. */
  noteActivity(): void {
    if (this.live !== undefined && this.countsAsActivity) void this.sessions.touch(this.live, this);
  }

  /** Calls a function when the connection is closed. */
  whenOver(callback: () => void): void {
    this.#whenOver = [...(this.#whenOver ?? []), callback];
    if (this.#isOver) this.#tellOver();
  }

  /** Stops following the session. */
  release(follower: SessionFollower): void {
    if (this.live !== undefined) this.sessions.unfollow(this.live, follower);
    this.#isOver = true;
    this.#tellOver();
  }

  #tellOver(): void {
    const callbacks = this.#whenOver ?? [];
    this.#whenOver = undefined;
    for (const callback of callbacks) callback();
  }
}
