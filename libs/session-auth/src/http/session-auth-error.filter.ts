import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { toHttpException } from './http-error.js';
import { HttpExchange, type AdapterRequest, type AdapterResponse } from './http-exchange.js';

/**
 * Answers a {@link SessionAuthError} that an application's own handler or guard let through. Registered by the module
 * for the whole application; filters of the application's own come before it.
 */
@Catch(SessionAuthError)
export class SessionAuthErrorFilter implements ExceptionFilter<SessionAuthError> {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  catch(error: SessionAuthError, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    new BaseExceptionFilter(this.adapterHost.httpAdapter).catch(asHttpException(error, host), host);
  }
}

/**
 * What an application's own catch-all filter (`@Catch()`) is to look at instead of what it caught: the `HttpException`
 * of a {@link SessionAuthError}, with its body `{ statusCode, code, message }` and `Retry-After` set on the response
 * where one is due; anything else, and whatever was not thrown over HTTP, as it is.
 */
export function asHttpException(error: unknown, host: ArgumentsHost): unknown {
  if (!(error instanceof SessionAuthError) || host.getType() !== 'http') return error;
  const http = host.switchToHttp();
  const exchange = new HttpExchange(http.getRequest<AdapterRequest>(), http.getResponse<AdapterResponse>());
  return toHttpException(error, exchange);
}
