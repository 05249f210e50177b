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
 * Checks each request that opens a connection once. A browser opens connections to any site with the visitor's cookies,
 * and no guard runs.
 */
export class Handshake {
  readonly settings: ConnectionSettings;

  /**
   * @param owner names the owner of the options in messages
   * @throws SessionAuthError `invalid_configuration` for invalid options, and for a storage without a link
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
   * Returns the connection that a request may open. Its origin must be the application's or trusted, and it must have
   * the session of a user unless the options allow anonymous connections. Takes at most two store commands for each
   * realm. A device that is only remembered is not signed in.
   *
   * @param request the raw message, or the request of Fastify
   * @throws SessionAuthError `csrf_failed` for a page of another origin, `session_required`,
   *   `session_store_unavailable`
   */
  async open(request: IncomingMessage | AdapterRequest): Promise<Connection> {
    const asked = 'raw' in request ? request : openingRequest(request as IncomingMessage, this.adapter);
    const exchange = new HttpExchange(asked, new AbsentResponse());
    const { realms, isAnonymousAllowed } = this.settings;
    // an origin that only one realm trusts may not use a session of another realm
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

  /** Ties the connection to the session that the request has in a realm, if it has one. */
  async #join(connection: Connection, services: RequestServices, exchange: HttpExchange): Promise<Session | undefined> {
    const { cookies, guessing, clock, events } = services;
    const presented = new PresentedCookies(exchange, cookies, guessing, clock, events).session;
    const sessions = this.realms.serviceOf(services, LiveSessions);
    // before the session is read, so that an end in between is heard
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
    // a request that opens a connection has few headers, so a mismatch must not sign a user out
    const action = mismatch.action === 'destroy' ? 'reject' : mismatch.action;
    services.reportMismatch(session, { ...mismatch, action }, exchange.client);
    return action === 'reject' ? undefined : reader.accept(session, exchange);
  }
}
