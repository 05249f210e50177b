import { Catch, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { throwError, type Observable } from 'rxjs';
import { sendWebSocketException } from '../channels/transport-exceptions.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { asHttpException } from './http-exception.js';

/**
 * Responds to a {@link SessionAuthError} that a handler or guard of the application did not catch. The module registers
 * it for the whole application; the application's own filters run first.
 *
 * Nest runs no global filter for WebSocket messages: use `@UseFilters(SessionAuthErrorFilter)` on a gateway.
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
        // GraphQL treats an error that a resolver returns as thrown
        return exception;
    }
  }
}

/** Returns what Nest's own filter of microservices returns for an `RpcException`. */
function rejected(exception: unknown): Observable<never> {
  return throwError(() => (exception as { readonly getError?: () => unknown }).getError?.() ?? exception);
}
