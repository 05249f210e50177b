import type { HttpServer } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { AbsentResponse } from '../channels/channel.js';
import { CsrfService } from '../csrf/csrf.service.js';
import type { AdapterRequest } from '../http/adapter.js';
import { Connection, keepConnection } from '../http/connection.js';
import { ConnectionSession } from '../http/connection-session.js';
import { HttpExchange } from '../http/http-exchange.js';
import { PresentedCookies } from '../http/presented-cookies.js';
import type { RealmRegistry } from '../http/realm-registry.js';
import type { RequestServices } from '../http/request-services.js';
import { LiveSessions } from '../link/live-sessions.js';
import type { PresentedToken } from '../session/session-reader.js';
import { sessionRequired } from '../session/session-required.js';
import { Session } from '../session/session.js';
import { resolveConnection, type ConnectionOptions, type ConnectionSettings } from './connection.options.js';
import { openingRequest } from './opening-request.js';

/**
 * Decides about requests that open a connection, once each: a browser opens one to any site, with the cookies of its
 * visitor, and no guard is asked.
 */
export class Handshake {
  readonly settings: ConnectionSettings;

  /**
   * @param owner what the options are of, for messages
   * @throws SessionAuthError `invalid_configuration` for the options, and where the storage has no link
   */
  constructor(
    owner: string,
    options: ConnectionOptions,
    readonly realms: RealmRegistry,
    private readonly adapter: HttpServer,
  ) {
    this.settings = resolveConnection(options, owner, realms.names);
    for (const realm of this.settings.realms) realms.serviceOf({ realm }, LiveSessions).require(owner);
  }

  /**
   * The connection that a request may open: its origin is ours or trusted, and it has the session of a user, or needs
   * none. Takes at most two store commands a realm. A device that is only remembered is not signed in.
   *
   * @param request the raw message, or the request of Fastify
   * @throws SessionAuthError `csrf_failed` for a page of another origin, `session_required`,
   *   `session_store_unavailable`
   */
  async open(request: IncomingMessage | AdapterRequest): Promise<Connection> {
    const asked = 'raw' in request ? request : openingRequest(request as IncomingMessage, this.adapter);
    const exchange = new HttpExchange(asked, new AbsentResponse());
    const { realms, isAnonymousAllowed } = this.settings;
    // an origin that one realm trusts may not use the session of another
    for (const realm of realms) this.realms.serviceOf({ realm }, CsrfService).guardOpening(exchange);
    const connection = new Connection();
    try {
      let isSignedIn = false;
      for (const realm of realms) {
        const session = await this.#join(connection, this.realms.servicesOf(realm), exchange);
        isSignedIn ||= session?.userId !== undefined;
      }
      if (connection.hasEnded || !(isSignedIn || isAnonymousAllowed)) throw sessionRequired();
    } catch (error) {
      connection.release();
      throw error;
    }
    keepConnection(request, connection);
    return connection;
  }

  /** Has the connection live as long as the session that the request has in a realm, if it has one. */
  async #join(connection: Connection, services: RequestServices, exchange: HttpExchange): Promise<Session | undefined> {
    const { cookies, guessing, clock, events } = services;
    const presented = new PresentedCookies(exchange, cookies, guessing, clock, events).session;
    const sessions = this.realms.serviceOf(services, LiveSessions);
    // before the session is read: an end in between is heard
    const live = presented && sessions.follow(presented.digest, connection);
    let session: Session | undefined;
    try {
      const heard = live?.heard ?? 0;
      session = presented && (await this.#find(presented, services, exchange));
      if (session !== undefined) live?.adopt(Session.recordOf(session), heard);
    } finally {
      if (session === undefined && live !== undefined) sessions.unfollow(live, connection);
    }
    const { countsAsActivity } = this.settings;
    connection.add(new ConnectionSession(services, sessions, exchange.client, session && live, countsAsActivity));
    return session;
  }

  async #find(
    { digest, userMark }: PresentedToken,
    services: RequestServices,
    exchange: HttpExchange,
  ): Promise<Session | undefined> {
    const { reader, fingerprint } = services;
    const session = await reader.read(digest, exchange, { userMark, isActivity: this.settings.countsAsActivity });
    if (session === undefined) return undefined;
    const mismatch = fingerprint?.compare(Session.recordOf(session).fingerprint, exchange, true);
    if (mismatch === undefined) return reader.accept(session, exchange);
    // what opens a connection has few headers, and none of a browser's habits may log a user out
    const action = mismatch.action === 'destroy' ? 'reject' : mismatch.action;
    services.reportMismatch(session, { ...mismatch, action }, exchange.client);
    return action === 'reject' ? undefined : reader.accept(session, exchange);
  }
}
