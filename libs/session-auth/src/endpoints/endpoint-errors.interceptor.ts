import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, throwError, type Observable } from 'rxjs';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { toHttpException } from '../http/http-error.js';
import { HttpExchange, type AdapterRequest, type AdapterResponse } from '../http/http-exchange.js';

/** Turns the library's errors into HTTP exceptions at the ready-made endpoints, whatever filters the application has. */
export class EndpointErrorsInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const exchange = new HttpExchange(http.getRequest<AdapterRequest>(), http.getResponse<AdapterResponse>());
    return next
      .handle()
      .pipe(
        catchError((error: unknown) =>
          throwError(() => (error instanceof SessionAuthError ? toHttpException(error, exchange) : error)),
        ),
      );
  }
}
