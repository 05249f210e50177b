import type { SessionView } from '../session/session-view.js';

/** The body of an error answer of the server. `code` is one of those in docs/errors.md, or the application's own. */
export interface ErrorAnswer {
  readonly statusCode: number;
  readonly code?: string;
  readonly message?: string;
  /** The realm that answered. */
  readonly realm?: string;
  /** With `further_factor_required`: the factors that would do. */
  readonly factors?: readonly string[];
  /** With `session_ended`: why it ended. */
  readonly endReason?: string;
}

/**
 * What the methods of a {@link SessionClient} reject with when the server refuses. Where there was no answer, because
 * the network is down for instance, they reject as `fetch` does.
 */
export interface SessionClientError extends Error, ErrorAnswer {
  readonly message: string;
  /** Seconds until another try makes sense; 0 where the answer does not say. */
  readonly retryAfter: number;
}

/**
 * What a {@link SessionClient} calls. Each of these may be absent. An error that one of them throws is reported as an
 * uncaught error of the page, and changes nothing of the request.
 */
export interface SessionClientHooks {
  /**
   * The server says that nobody is signed in, or not any more. Called once for each session that has ended, however
   * many requests find out, and never because of an outage of the network or the server. The answer with status 401
   * still goes to the caller of `fetch`.
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
   * A request needs one of `error.factors`. Have one proved and resolve to `true`: the request is sent once more.
   * Requests that need it meanwhile wait for the same call.
   *
   * @default nothing: the answer with status 401 goes to the caller
   */
  furtherFactorRequired?(error: ErrorAnswer): unknown;
  /**
   * A request was answered with 429.
   *
   * @param retryAfter seconds; 0 where the answer does not say, or does not show it to another origin
   * @default nothing
   */
  tooManyAttempts?(retryAfter: number): unknown;
  /**
   * Somebody has signed in: by `login`, by `login` in another tab, or by other means, where the session turned out to
   * be of another user than before.
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
   * The session ends soon unless something is requested, or at `session.absoluteExpiresAt` in any case. Called once for
   * each `session.expiresAt`. `session()` keeps the session alive.
   *
   * @default nothing
   */
  expiring?(session: SessionView): unknown;
}

/** How a {@link SessionClient} is set up. */
export interface SessionClientOptions {
  /** Where the endpoints of the realm are: `endpoints.path`, or an address on another origin. @default '/auth' */
  readonly path?: string;
  /** What to call. @default nothing */
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
  /** What an endpoint of the application's own takes besides. */
  readonly [field: string]: unknown;
}
