import { GRAPHQL_CODE_BY_STATUS, HTTP_STATUS_BY_CODE, type SessionAuthErrorCode } from './error-codes.js';

/** What a {@link SessionAuthError} may carry besides its code and message. */
export interface SessionAuthErrorOptions {
  /** The underlying failure. Never shown to a client. */
  readonly cause?: unknown;
  /**
   * How long a client should wait before it tries again, in seconds: sent as `Retry-After`. @default 1 for
   * `session_store_unavailable`
   */
  readonly retryAfterSeconds?: number;
  /** The further factors that the route accepts: sent as `factors`. */
  readonly factors?: readonly string[];
  /** Why the session ended: sent as `endReason`. */
  readonly endReason?: string;
}

/** A store that was down may be back at once. Without this header a client would not know that it may try again. */
const STORE_RETRY_AFTER_SECONDS = 1;

/**
 * The one error class of this library.
 *
 * `code` is stable and meant for programs. `message` is meant for people and may change. Neither ever holds a token, a
 * password or a secret. Over HTTP the body is `{ statusCode, code, message }`, with `factors` when a further factor is
 * missing and `endReason` when a session has ended. For codes with status 500 and up, the body has a general message
 * instead (ASVS 16.5.1).
 */
export class SessionAuthError extends Error {
  override readonly name = 'SessionAuthError';
  readonly code: SessionAuthErrorCode;
  readonly retryAfterSeconds: number | undefined;
  readonly factors: readonly string[] | undefined;
  /** For `session_ended`: the reason, a {@link SessionEnd}. Undefined when the reason is not known. */
  readonly endReason: string | undefined;

  constructor(code: SessionAuthErrorCode, message: string, options: SessionAuthErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.factors = options.factors;
    this.endReason = options.endReason;
    this.retryAfterSeconds =
      options.retryAfterSeconds ?? (code === 'session_store_unavailable' ? STORE_RETRY_AFTER_SECONDS : undefined);
  }

  /** The HTTP status of this error. */
  get statusCode(): number {
    return HTTP_STATUS_BY_CODE[this.code];
  }

  /**
   * What a GraphQL error shows beside the message: a usual `code` such as `UNAUTHENTICATED` or `FORBIDDEN`, and the
   * code of this error as `reason`. graphql-js reads it from any error that a resolver throws.
   */
  get extensions(): Readonly<Record<string, unknown>> {
    const { statusCode, code: reason, factors, endReason, retryAfterSeconds } = this;
    return {
      code: GRAPHQL_CODE_BY_STATUS[statusCode],
      reason,
      ...(factors !== undefined && { factors }),
      ...(endReason !== undefined && { endReason }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    };
  }
}
