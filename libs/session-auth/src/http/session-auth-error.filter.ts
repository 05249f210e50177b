import { Catch, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { asHttpException } from './http-exception.js';

/**
 * Answers a {@link SessionAuthError} that an application's own handler or guard let through. The module registers it
 * for the whole application; filters of the application's own come before it.
 */
@Catch(SessionAuthError)
@Injectable()
export class SessionAuthErrorFilter implements ExceptionFilter<SessionAuthError> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: SessionAuthError, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    new BaseExceptionFilter(this.adapterHost.httpAdapter).catch(asHttpException(error, host), host);
  }
}
