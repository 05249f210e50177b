import { HttpErrorResponse, HttpHeaders, HttpResponse, type HttpInterceptorFn } from '@angular/common/http';
import { createSessionClient, type SessionClient } from 'nestjs-session-auth/client';
import { Observable } from 'rxjs';

/** Sends the requests of `HttpClient` through the client. Interceptors after this one are not called. */
export function sessionInterceptor(session: SessionClient): HttpInterceptorFn {
  return (request) =>
    new Observable((subscriber) => {
      const aborter = new AbortController();
      const send = async (): Promise<void> => {
        const headers = new Headers(request.headers.keys().map((name) => [name, request.headers.get(name)!]));
        headers.set('accept', headers.get('accept') ?? 'application/json, text/plain, */*');
        const type = request.detectContentTypeHeader();
        if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
        const response = await session.fetch(request.urlWithParams, {
          method: request.method,
          headers,
          body: request.serializeBody() as BodyInit | null,
          signal: aborter.signal,
        });
        const { responseType } = request;
        const read =
          responseType === 'blob'
            ? response.blob()
            : responseType === 'arraybuffer'
              ? response.arrayBuffer()
              : response.text();
        const answer: unknown = await read;
        const body: unknown = responseType === 'json' && typeof answer === 'string' ? jsonOf(answer) : answer;
        const { status, statusText, url } = response;
        const head = { status, statusText, url, headers: new HttpHeaders(response.headers) };
        if (!response.ok) throw new HttpErrorResponse({ ...head, error: body });
        subscriber.next(new HttpResponse({ ...head, body }));
        subscriber.complete();
      };
      send().catch((error: unknown) => {
        const isAnswer = error instanceof HttpErrorResponse;
        subscriber.error(isAnswer ? error : new HttpErrorResponse({ error, status: 0, url: request.urlWithParams }));
      });
      return () => aborter.abort();
    });
}

function jsonOf(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

export const session = createSessionClient();
