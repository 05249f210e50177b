import { Catch, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { throwError, type Observable } from 'rxjs';
import { sendWebSocketException } from '../channels/transport-exceptions.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { asHttpException } from './http-exception.js';

/**
 * Answers a {@link SessionAuthError} that an application's own handler or guard let through. The module registers it
 * for the whole application; filters of the application's own come before it.
 *
 * Nest asks no global filter for messages of WebSockets: `@UseFilters(SessionAuthErrorFilter)` on a gateway does.
 */
@Catch(SessionAuthError)
@Injectable()
export class SessionAuthErrorFilter implements ExceptionFilter<SessionAuthError> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: SessionAuthError, host: ArgumentsHost): unknown {
    const exception = asHttpException(error, host);
    switch (host.getType<string>()) {
      case 'http':
        return new BaseExceptionFilter(this.adapterHost.httpAdapter).catch(exception, host);
      case 'ws':
        return sendWebSocketException(exception as Error, host);
      case 'rpc':
        return rejected(exception);
      default:
        // an error that a resolver returns is one that it throws
        return exception;
    }
  }
}

/** What Nest's own filter of microservices returns for an `RpcException`. */
function rejected(exception: unknown): Observable<never> {
  return throwError(() => (exception as { readonly getError?: () => unknown }).getError?.() ?? exception);
}
