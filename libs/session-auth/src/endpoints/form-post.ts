import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, map, of, throwError, type Observable } from 'rxjs';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { getRequestSession } from '../http/request-session-factory.js';
import type { Redirects } from './redirects.options.js';

const FORM = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/**
 * Whether a request is an HTML form that the browser itself submits, and whose redirect it follows to the next page. A
 * script that sends such a body is recognised by `Sec-Fetch-Mode`, or by `Accept` with JSON.
 */
export function isFormPost({ method, headers }: Pick<HttpExchange, 'method' | 'headers'>): boolean {
  if (method !== 'POST' || !FORM.test(headers['content-type'] ?? '')) return false;
  const mode = headers['sec-fetch-mode'];
  return (mode === undefined || mode === 'navigate') && acceptsHtml(headers.accept);
}

/** Whether an `Accept` header accepts HTML (RFC 9110 12.5.1). A header that names JSON and not HTML does not. */
function acceptsHtml(accept: string | undefined): boolean {
  if (accept === undefined) return true;
  const ranges = accept.split(',').flatMap((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter)) ? [] : [type];
  });
  if (ranges.includes('text/html') || ranges.includes('application/xhtml+xml')) return true;
  if (ranges.some((type) => /[/+]json$/.test(type))) return false;
  return ranges.includes('*/*') || ranges.includes('text/*');
}

/** Redirects the browser after a plain form, to a path that the application has set at boot. */
export class FormRedirects implements NestInterceptor {
  constructor(private readonly redirects: Redirects) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { exchange } = getRequestSession(context.switchToHttp().getRequest<object>());
    if (!isFormPost(exchange)) return next.handle();
    const name = context.getHandler().name as keyof Redirects;
    const [done, failed] = [this.redirects[name], this.redirects[`${name}Failed` as keyof Redirects]];
    return next.handle().pipe(
      map((answer: unknown) => (done === undefined ? answer : seeOther(exchange, done))),
      catchError((error: unknown) =>
        // a server error keeps its status, so that monitoring sees it
        failed !== undefined && error instanceof SessionAuthError && error.statusCode < 500
          ? of(seeOther(exchange, withProblem(failed, error)))
          : throwError(() => error),
      ),
    );
  }
}

/** @returns an empty body, because the responses to scripts contain a CSRF token and the session */
function seeOther(exchange: HttpExchange, path: string): string {
  exchange.setStatus(303);
  exchange.setHeader('location', path);
  return '';
}

function withProblem(path: string, { code, retryAfterSeconds }: SessionAuthError): string {
  const query = new URLSearchParams({ error: code });
  if (retryAfterSeconds !== undefined) query.set('retryAfter', String(retryAfterSeconds));
  return `${path}${path.includes('?') ? '&' : '?'}${String(query)}`;
}
