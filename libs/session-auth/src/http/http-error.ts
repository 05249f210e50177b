import { HttpException } from '@nestjs/common';
import type { SessionAuthError } from '../errors/session-auth.error.js';
import type { HttpExchange } from './http-exchange.js';

const GENERAL_MESSAGES: Record<number, string> = {
  500: 'Internal server error',
  503: 'Sessions are unavailable for the moment',
};

/**
 * A {@link SessionAuthError} as Nest's HTTP exceptions go: body `{ statusCode, code, message }`, with `Retry-After`
 * set on the response where the error names a time. Failures of the server's own tell a client nothing of their cause.
 */
export function toHttpException(error: SessionAuthError, exchange: HttpExchange): HttpException {
  const { statusCode, code } = error;
  if (error.retryAfterSeconds !== undefined && !exchange.headersSent) {
    exchange.setHeader('retry-after', String(error.retryAfterSeconds));
  }
  const message = GENERAL_MESSAGES[statusCode] ?? error.message;
  return new HttpException({ statusCode, code, message }, statusCode, { cause: error });
}
