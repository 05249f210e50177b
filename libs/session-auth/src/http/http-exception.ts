import { HttpException, Logger, type ArgumentsHost } from '@nestjs/common';
import { asChannelException } from '../channels/channel-exception.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import { realmOfChannel } from './channel-routes.js';
import { realmOfRequest } from './request-session-factory.js';
import type { AdapterRequest, AdapterResponse } from './adapter.js';
import { HttpExchange } from './http-exchange.js';

const GENERAL_MESSAGES: Record<number, string> = {
  500: 'Internal server error',
  503: 'Sessions are unavailable at the moment',
};

/**
 * Returns the `HttpException` for a {@link SessionAuthError}. Its body is `{ statusCode, code, message, realm }`, with
 * `factors` and `endReason` if the error has them; `Retry-After` is set on the response if needed. Failures of the
 * server are logged, and the client does not learn their cause. Any other error is returned unchanged.
 *
 * Outside of HTTP the exception has the form of the transport: see `asChannelException`.
 *
 * Guards, decorators and endpoints of this library throw it, because every exception filter knows an `HttpException`.
 * An application's own catch-all filter (`@Catch()`) uses it for errors of services that its handlers called.
 */
export function asHttpException(error: unknown, host: ArgumentsHost): unknown {
  if (!(error instanceof SessionAuthError)) return error;
  const { statusCode, code, factors, endReason, retryAfterSeconds } = error;
  const message = messageFor(error);
  if (host.getType() !== 'http') {
    // without a request, the realm is not known
    const realm = code === 'request_not_bound' ? undefined : realmOfChannel(host);
    return asChannelException(error, { message, realm }, host);
  }
  const http = host.switchToHttp();
  if (retryAfterSeconds !== undefined) {
    const exchange = new HttpExchange(http.getRequest<AdapterRequest>(), http.getResponse<AdapterResponse>());
    if (!exchange.headersSent) exchange.setHeader('retry-after', String(retryAfterSeconds));
  }
  const realm = realmOfRequest(http.getRequest<object>());
  // its cause has the stack
  return withoutStackTrace(
    () => new HttpException({ statusCode, code, message, realm, factors, endReason }, statusCode, { cause: error }),
  );
}

/**
 * Returns the message of an error for the client. A failure of the server is logged, and its message replaced by a
 * general one.
 */
export function messageFor(error: SessionAuthError): string {
  const { statusCode, code, message, cause = error } = error;
  if (statusCode < 500) return message;
  new Logger('SessionAuth').error(`${code}: ${message}`, cause instanceof Error ? cause.stack : String(cause));
  return GENERAL_MESSAGES[statusCode] ?? message;
}
