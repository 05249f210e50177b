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
    const http = host.switchToHttp();
    const exchange = new HttpExchange(http.getRequest<AdapterRequest>(), http.getResponse<AdapterResponse>());
    new BaseExceptionFilter(this.adapterHost.httpAdapter).catch(toHttpException(error, exchange), host);
  }
}
