import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, throwError, type Observable } from 'rxjs';
import { asHttpException } from '../http/http-exception.js';

/** Turns the library's errors into HTTP exceptions at the ready-made endpoints, whatever filters the application has. */
export class EndpointErrorsInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((error: unknown) => throwError(() => asHttpException(error, context))));
  }
}
