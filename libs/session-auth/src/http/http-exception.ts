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
  503: 'Sessions are unavailable for the moment',
};

/**
 * The `HttpException` of a {@link SessionAuthError}: body `{ statusCode, code, message, realm }`, with `factors` and
 * `endReason` where the error has them and `Retry-After` set on the response where one is due. Failures of the server's
 * own are logged, and tell a client nothing of their cause. Anything else is returned as it is.
 *
 * Outside of HTTP it takes the form of the transport: see {@link asChannelException}.
 *
 * Guards, decorators and endpoints of this library throw it, since every exception filter knows an `HttpException`. An
 * application's own catch-all filter (`@Catch()`) uses it for errors of services that its handlers called.
 */
export function asHttpException(error: unknown, host: ArgumentsHost): unknown {
  if (!(error instanceof SessionAuthError)) return error;
  const { statusCode, code, factors, endReason, retryAfterSeconds } = error;
  const message = messageFor(error);
  if (host.getType() !== 'http') {
    // without a request, there is nobody to ask
    const realm = code === 'request_not_bound' ? undefined : realmOfChannel(host);
    return asChannelException(error, { message, realm }, host);
  }
  const http = host.switchToHttp();
  if (retryAfterSeconds !== undefined) {
    const exchange = new HttpExchange(http.getRequest<AdapterRequest>(), http.getResponse<AdapterResponse>());
    if (!exchange.headersSent) exchange.setHeader('retry-after', String(retryAfterSeconds));
  }
  const realm = realmOfRequest(http.getRequest<object>());
  // its cause tells where it comes from
  return withoutStackTrace(
    () => new HttpException({ statusCode, code, message, realm, factors, endReason }, statusCode, { cause: error }),
  );
}

/** What a client is told of an error. A failure of the server's own is logged, and its message is a general one. */
export function messageFor(error: SessionAuthError): string {
  const { statusCode, code, message, cause = error } = error;
  if (statusCode < 500) return message;
  new Logger('SessionAuth').error(`${code}: ${message}`, cause instanceof Error ? cause.stack : String(cause));
  return GENERAL_MESSAGES[statusCode] ?? message;
}
