import type { SessionView } from '../session/session-view.js';

/** The body of an error response. `code` is one of those in docs/errors.md, or one of the application's. */
export interface ErrorAnswer {
  readonly statusCode: number;
  readonly code?: string;
  readonly message?: string;
  /** The realm that sent the response. */
  readonly realm?: string;
  /** With `further_factor_required`: the factors of which one is enough. */
  readonly factors?: readonly string[];
  /** With `session_ended`: why it ended. */
  readonly endReason?: string;
}

/**
 * The methods of a {@link SessionClient} reject with this error when the server refuses. If no response arrives, for
 * example because the network is down, they reject as `fetch` does.
 */
export interface SessionClientError extends Error, ErrorAnswer {
  readonly message: string;
  /** Seconds until another try makes sense; 0 if the response does not say. */
  readonly retryAfter: number;
}

/**
 * The hooks of a {@link SessionClient}. Each may be absent. An error that a hook throws is reported as an uncaught
 * error of the page, and does not change the request.
 */
export interface SessionClientHooks {
  /**
   * The server reports that nobody is signed in, or no longer. Called once for each session that has ended, even if
   * several requests find out, and never because of an outage of the network or the server. The caller of `fetch` still
   * receives the response with status 401.
   *
   * @default nothing
   */
  sessionRequired?(error: ErrorAnswer): unknown;
  /**
   * A request needs a recent login. Ask for the password, call `reauthenticate`, and resolve to `true`: the request is
   * sent once more. Requests that need it meanwhile wait for the same call.
   *
   * @default nothing: the answer with status 401 goes to the caller
   */
  recentAuthenticationRequired?(error: ErrorAnswer): unknown;
  /**
   * A request needs one of `error.factors`. Let the user prove one and resolve to `true`: the request is sent once
   * more. Requests that need it meanwhile wait for the same call.
   *
   * @default nothing: the answer with status 401 goes to the caller
   */
  furtherFactorRequired?(error: ErrorAnswer): unknown;
  /**
   * A request got a response with status 429.
   *
   * @param retryAfter seconds; 0 if the response does not say, or does not expose it to another origin
   * @default nothing
   */
  tooManyAttempts?(retryAfter: number): unknown;
  /**
   * A user has signed in: by `login`, by `login` in another tab, or by other means, if the client finds that the
   * session belongs to another user than before.
   *
   * @default nothing
   */
  login?(session: SessionView): unknown;
  /**
   * The user has signed out by `logout`, here or in another tab.
   *
   * @default nothing
   */
  logout?(): unknown;
  /**
   * The session ends soon unless the page sends a request, and at `session.absoluteExpiresAt` in any case. Called once
   * for each `session.expiresAt`. `session()` keeps the session alive.
   *
   * @default nothing
   */
  expiring?(session: SessionView): unknown;
}

/** Options of {@link createSessionClient}. */
export interface SessionClientOptions {
  /** The address of the realm's endpoints: `endpoints.path`, or an address on another origin. @default '/auth' */
  readonly path?: string;
  /** The hooks to call. @default nothing */
  readonly on?: SessionClientHooks;
  /** How long before the session's end `on.expiring` is called, in milliseconds. @default 120000 */
  readonly expiringBefore?: number;
}

/** What `login` sends. */
export interface LoginCredentials {
  readonly email?: string;
  readonly password: string;
  /** Stay signed in on this device. @default false */
  readonly rememberMe?: boolean;
  /** Further fields for an endpoint that the application has written itself. */
  readonly [field: string]: unknown;
}
