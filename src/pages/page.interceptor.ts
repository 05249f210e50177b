import { Inject, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { mergeMap, type Observable } from 'rxjs';
import type { PageAnswer } from './page.js';
import { PageWriter } from './page-writer.js';

/** Turns what handlers of pages answer into responses. */
export class PageInterceptor implements NestInterceptor<PageAnswer, string> {
  constructor(@Inject(PageWriter) private readonly writer: PageWriter) {}

  intercept(context: ExecutionContext, next: CallHandler<PageAnswer>): Observable<string> {
    const http = context.switchToHttp();
    return next
      .handle()
      .pipe(mergeMap((answer) => this.writer.write(http.getRequest<object>(), http.getResponse<object>(), answer)));
  }
}
