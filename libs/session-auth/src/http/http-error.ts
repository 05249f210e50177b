import { HttpException, Logger } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import type { HttpExchange } from './http-exchange.js';

const GENERAL_MESSAGES: Record<number, string> = {
  500: 'Internal server error',
  503: 'Sessions are unavailable for the moment',
};

const logger = new Logger('SessionAuth');

/**
 * A {@link SessionAuthError} as Nest's HTTP exceptions go: body `{ statusCode, code, message }`, with `factors`
 * where the error names them and `Retry-After` set on the response where it names a time. Failures of the server's own are logged, and tell a client nothing
 * of their cause.
 */
export function toHttpException(error: SessionAuthError, exchange: HttpExchange): HttpException {
  const { statusCode, code, factors, cause = error } = error;
  if (statusCode >= 500) {
    logger.error(`${code}: ${error.message}`, cause instanceof Error ? cause.stack : String(cause));
  }
  if (error.retryAfterSeconds !== undefined && !exchange.headersSent) {
    exchange.setHeader('retry-after', String(error.retryAfterSeconds));
  }
  const message = GENERAL_MESSAGES[statusCode] ?? error.message;
  // where it comes from is told by its cause
  return withoutStackTrace(
    () => new HttpException({ statusCode, code, message, factors }, statusCode, { cause: error }),
  );
}

/**
 * What a guard, a decorator or an endpoint throws instead of an error it met: of a {@link SessionAuthError} an
 * `HttpException`, which any exception filter knows. An application's own catch-all filter would answer 500 to what it
 * does not know.
 */
export function asHttpError(error: unknown, exchange: HttpExchange): unknown {
  return error instanceof SessionAuthError ? toHttpException(error, exchange) : error;
}

/** As {@link stepOverHttp}, where nothing is waited for. */
export function stepOverHttpAtOnce<T>(exchange: HttpExchange, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw asHttpError(error, exchange);
  }
}

/** Takes a step of a guard, a decorator or an endpoint: what it throws is {@link asHttpError}. */
export async function stepOverHttp<T>(exchange: HttpExchange, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw asHttpError(error, exchange);
  }
}
