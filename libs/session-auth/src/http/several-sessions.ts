import type { Session } from '../session/session.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { ConnectionSession } from './connection-session.js';
import type { RequestSession } from './request-session.js';

/** The session of a request over HTTP, in the realm or realms of its route. */
export type HttpRouteSession = RequestSession | SeveralSessions;

/** The session of a request, or of the connection that a message came over, in the realm or realms of its handler. */
export type RouteSession = HttpRouteSession | ConnectionRoute;

/** The session of the connection that a message came over, in the realm or realms of its handler. */
export type ConnectionRoute = ConnectionSession | SeveralSessions<ConnectionSession>;

/** Whether it came over a connection whose opening request was checked. */
export function isOfConnection(route: RouteSession): route is ConnectionRoute {
  return route.present instanceof ConnectionSession;
}

/**
 * The session of a request to a route of several realms. The applicable realm is settled when a session is read and
 * found, or when the request's CSRF token is checked: see {@link Realm}.
 */
export class SeveralSessions<One extends RequestSession | ConnectionSession = RequestSession> {
  #settled: One | undefined;

  /** @param candidates the request in each of the realms, in the order of the decorator */
  constructor(readonly candidates: readonly One[]) {}

  /** The request in the applicable realm; in the first realm until that is settled. */
  get present(): One {
    return this.#settled ?? this.candidates[0]!;
  }

  /** The request in each of the realms that may still apply. */
  get possible(): readonly One[] {
    return this.#settled === undefined ? this.candidates : [this.#settled];
  }

  async load(): Promise<Session | undefined> {
    if (this.#settled !== undefined) return this.#settled.load();
    const live = await this.#findLive();
    for (const candidate of live === undefined ? this.candidates : [live]) {
      const session = await candidate.load();
      if (session === undefined) continue;
      this.#settle(candidate);
      return session;
    }
    return undefined;
  }

  /** As {@link RequestSession.loadLive}, without settling the realm. */
  async loadLive(): Promise<Session | undefined> {
    return (this.#settled ?? (await this.#findLive()))?.loadLive();
  }

  async loadUser(): Promise<SessionUser | undefined> {
    await this.load();
    return this.present.loadUser();
  }

  /**
   * Returns the request in the realm that has the live session, or in the first realm. This settles the realm: a
   * request with a CSRF token of one realm must not sign in a remembered device of another.
   */
  async settle(): Promise<One> {
    if (this.#settled === undefined) this.#settle((await this.#findLive()) ?? this.present);
    return this.present;
  }

  async #findLive(): Promise<One | undefined> {
    let anonymous: One | undefined;
    for (const candidate of this.candidates) {
      const session = await candidate.loadLive();
      if (session?.userId !== undefined) return candidate;
      if (session !== undefined) anonymous ??= candidate;
    }
    return anonymous;
  }

  #settle(candidate: One): void {
    this.#settled ??= candidate;
  }
}
