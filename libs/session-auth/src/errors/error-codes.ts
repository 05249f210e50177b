/**
 * Every stable code that a {@link SessionAuthError} can carry, with its HTTP status.
 *
 * The first block is part of the HTTP contract. The second block reaches developers: at boot, or from a service that
 * refuses its arguments.
 */
export const HTTP_STATUS_BY_CODE = {
  /** No live session, or the session has no user. */
  session_required: 401,
  /** The session has ended while a handler, a stream or a connection of its user was under way. */
  session_ended: 401,
  /** Unknown account, wrong password or disabled account: all three look the same. */
  invalid_credentials: 401,
  /**
   * The session is live, but its last full authentication is too old for this action, or a remember-me token made it.
   */
  recent_authentication_required: 401,
  /**
   * The session is live, but lacks a further factor, or proved it too long ago. The response names the accepted
   * factors.
   */
  further_factor_required: 401,
  /** Missing, foreign or altered CSRF token, or an origin that is not trusted. */
  csrf_failed: 403,
  /** Signed in, but without the role. */
  forbidden: 403,
  /** The address names nothing that the caller may see. */
  not_found: 404,
  /** The account has as many sessions as it may have, and the policy is `reject`. */
  session_limit_reached: 409,
  /** The merged session data would exceed `maxDataSize`. */
  session_data_too_large: 413,
  /** Too many failed logins, or too many at the same time from one address; the response carries `Retry-After`. */
  too_many_attempts: 429,
  /** Too many passwords wait to be checked; the response carries `Retry-After`. */
  server_busy: 503,
  /** The request body does not have the documented shape. */
  invalid_request: 400,
  /** Session data that JSON cannot carry, or that has the key `__proto__`. */
  invalid_session_data: 400,
  /** A password of more than 72 bytes, which bcrypt would cut silently. */
  password_too_long: 400,
  /** The store failed or did not respond within `storeTimeout`; the response carries `Retry-After`. */
  session_store_unavailable: 503,

  /**
   * A service was given, or `users` returned, a user with an invalid id, roles or e-mail address. Nobody is signed in.
   */
  invalid_user: 500,
  /** Refused options; thrown at boot, the message names the option's path. */
  invalid_configuration: 500,
  /** A stored record cannot be read. Never reaches a client, for whom there is simply no session. */
  corrupt_session_record: 500,
  /** A feature was used that the module was not configured for, for example login without `users`. */
  not_configured: 500,
  /**
   * A service was given a request that the module's guard has not seen, or the signal of a session from a list was
   * read.
   */
  request_not_bound: 500,
  /**
   * A service needs the response, for example to write cookies, but the context of the GraphQL operation does not hold
   * it.
   */
  response_not_bound: 500,
  /** A service has to write cookies, but the head of the response has been written. Nothing was changed. */
  response_already_sent: 500,
} as const;

/** One of the stable codes of {@link HTTP_STATUS_BY_CODE}. */
export type SessionAuthErrorCode = keyof typeof HTTP_STATUS_BY_CODE;

/** GraphQL's usual error codes, by HTTP status. */
export const GRAPHQL_CODE_BY_STATUS: Readonly<Record<number, string>> = {
  400: 'BAD_USER_INPUT',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'BAD_USER_INPUT',
  429: 'TOO_MANY_REQUESTS',
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVICE_UNAVAILABLE',
};
