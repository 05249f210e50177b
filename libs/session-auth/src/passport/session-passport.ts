import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, Optional, type NestMiddleware, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { AdapterRequest } from '../http/adapter.js';
import { RequestSessionFactory } from '../http/request-session-factory.js';
import { DEFAULT_REALM } from '../realms/realm-name.js';
import { realmToken } from '../realms/realm-token.js';
import { HeldResponse } from './held-response.js';
import { installMethods } from './passport-methods.js';
import { REQUEST_USER, type RequestUser } from './passport.options.js';
import { stateOf, type PassportRequest } from './request-state.js';
import { fillUser } from './request-user.js';
import { SessionView } from './session-view.js';

/**
 * Adds a `req.session` to the routes that opt in, for libraries that need one:
 * `consumer.apply(SessionPassport).forRoutes('login', 'callback')`. Middleware that runs after it also sees `req.user`.
 * For Express.
 *
 * `req.session` is a view of the session of this library: see {@link PassportSession}. When the response ends, each
 * top-level key is compared, as JSON, with its earlier value. `session.update` stores the keys that differ, and removes
 * the keys that were deleted. Parallel requests that change different keys lose nothing. A visitor gets a session with
 * the first write. An empty object does not count as a write, because connect-flash leaves one each time it looks for
 * messages.
 *
 * The response waits only if there is something to store. If storing fails, the error is sent instead: 503
 * `session_store_unavailable`, 401 `session_required` for a session that has ended meanwhile. If the head of the
 * response has been sent already, the connection is closed.
 *
 * @throws SessionAuthError `invalid_configuration` at boot on Fastify, and for a request that has a `req.session` of
 *   another library
 */
@Injectable()
export class SessionPassport implements NestMiddleware<IncomingMessage, ServerResponse> {
  constructor(
    private readonly requestSessions: RequestSessionFactory,
    { httpAdapter }: HttpAdapterHost,
    @Optional() @Inject(REQUEST_USER) private readonly requestUser: RequestUser = 'session',
  ) {
    if ((httpAdapter?.getType() as string | undefined) !== 'fastify') return;
    throw new SessionAuthError(
      'invalid_configuration',
      'SessionPassport is for Express: on Fastify use SessionStateStore for strategies with a state, and session.update',
    );
  }

  /** Returns the middleware for the sessions of another realm. */
  static ofRealm(realm: string): Type<SessionPassport> {
    return realm === DEFAULT_REALM ? SessionPassport : middlewareOf(realm);
  }

  async use(request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): Promise<void> {
    const state = stateOf(request as PassportRequest);
    if (state.view === undefined) {
      requireNoOther(request);
      const adapterRequest = request as unknown as AdapterRequest;
      const requestSession = this.requestSessions.bind(adapterRequest, response);
      installMethods(request as PassportRequest);
      await fillUser(request as PassportRequest, requestSession, this.requestUser);
      const view = await SessionView.open(request, response, requestSession);
      state.view = view;
      new HeldResponse(response, view, next);
    }
    next();
  }
}

function middlewareOf(realm: string): Type<SessionPassport> {
  @Injectable()
  class SessionPassportOfRealm extends SessionPassport {
    constructor(
      @Inject(realmToken(realm, RequestSessionFactory)) requestSessions: RequestSessionFactory,
      adapterHost: HttpAdapterHost,
      @Optional() @Inject(REQUEST_USER) requestUser?: RequestUser,
    ) {
      super(requestSessions, adapterHost, requestUser);
    }
  }
  return SessionPassportOfRealm;
}

function requireNoOther(request: object): void {
  const { session } = request as { readonly session?: unknown };
  if (session === undefined || session === null) return;
  throw new SessionAuthError(
    'invalid_configuration',
    'this request has a req.session of another library: do not use that library on routes of SessionPassport',
  );
}
