import { HttpException, Logger, type ArgumentsHost } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import { realmOfRequest } from './request-session-factory.js';
import type { AdapterRequest, AdapterResponse } from './adapter.js';
import { HttpExchange } from './http-exchange.js';

const GENERAL_MESSAGES: Record<number, string> = {
  500: 'Internal server error',
  503: 'Sessions are unavailable for the moment',
};

/**
 * The `HttpException` of a {@link SessionAuthError}: body `{ statusCode, code, message, realm }`, with `factors` where
 * the error names them and `Retry-After` set on the response where one is due. Failures of the server's own are logged,
 * and tell a client nothing of their cause. Anything else, and whatever was not thrown over HTTP, is returned as it is.
 *
 * Guards, decorators and endpoints of this library throw it, since every exception filter knows an `HttpException`. An
 * application's own catch-all filter (`@Catch()`) uses it for errors of services that its handlers called.
 */
export function asHttpException(error: unknown, host: ArgumentsHost): unknown {
  // messages of sockets and microservices have exceptions of their own
  if (!(error instanceof SessionAuthError) || host.getType() === 'ws' || host.getType() === 'rpc') return error;
  const { statusCode, code, factors, retryAfterSeconds, cause = error } = error;
  if (statusCode >= 500) {
    const reason = cause instanceof Error ? cause.stack : String(cause);
    new Logger('SessionAuth').error(`${code}: ${error.message}`, reason);
  }
  if (retryAfterSeconds !== undefined && host.getType() === 'http') {
    const http = host.switchToHttp();
    const exchange = new HttpExchange(http.getRequest<AdapterRequest>(), http.getResponse<AdapterResponse>());
    if (!exchange.headersSent) exchange.setHeader('retry-after', String(retryAfterSeconds));
  }
  const realm = host.getType() === 'http' ? realmOfRequest(host.switchToHttp().getRequest<object>()) : undefined;
  const message = GENERAL_MESSAGES[statusCode] ?? error.message;
  // its cause tells where it comes from
  return withoutStackTrace(
    () => new HttpException({ statusCode, code, message, realm, factors }, statusCode, { cause: error }),
  );
}
