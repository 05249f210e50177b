import { Catch, Inject, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { HttpExchange, type AdapterRequest, type AdapterResponse } from './http-exchange.js';
import { toHttpException } from './http-error.js';

/**
 * Answers a {@link SessionAuthError} that a guard, an endpoint or a handler let through. Registered by the module for
 * the whole application.
 */
@Catch(SessionAuthError)
export class SessionAuthErrorFilter implements ExceptionFilter<SessionAuthError> {
  readonly #logger = new Logger('SessionAuth');

  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  catch(error: SessionAuthError, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    if (error.statusCode >= 500) this.#logger.error(`${error.code}: ${error.message}`, stackOf(error.cause ?? error));
    const http = host.switchToHttp();
    const exchange = new HttpExchange(http.getRequest<AdapterRequest>(), http.getResponse<AdapterResponse>());
    new BaseExceptionFilter(this.adapterHost.httpAdapter).catch(toHttpException(error, exchange), host);
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
