import type { IncomingHttpHeaders } from 'node:http';
import { Catch, HttpException, Inject, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SessionAuthError } from 'nestjs-session-auth';
import { html } from './html.js';
import { ownPath, SeeOther, type PageAnswer } from './page.js';
import { PageWriter } from './page-writer.js';

/** Answers what went wrong as people need it: who has to sign in gets the form, not an error. */
@Catch()
export class PageErrorsFilter implements ExceptionFilter {
  readonly #logger = new Logger('Pages');

  constructor(
    @Inject(PageWriter) private readonly writer: PageWriter,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.writer.send(http.getResponse<object>(), this.#answerTo(error, http.getRequest<object>()));
  }

  #answerTo(error: unknown, request: object): PageAnswer {
    const refusal = refusalOf(error);
    const { root } = this.writer.site;
    const next = encodeURIComponent(this.#pageOf(request));
    if (refusal?.code === 'session_required') return new SeeOther(`${root}/login?next=${next}`);
    if (refusal?.code === 'recent_authentication_required') return new SeeOther(`${root}/confirm?next=${next}`);
    if (refusal?.code === 'csrf_failed') {
      return this.#problem(
        403,
        'This form is out of date',
        'Nothing was done. Go back, reload the page and send the form again.',
      );
    }
    if (refusal?.code === 'forbidden')
      return this.#problem(403, 'Not for this account', 'Your account may not see this page.');
    const status = refusal?.statusCode ?? (error instanceof HttpException ? error.getStatus() : 500);
    if (status === 404) return this.#problem(404, 'Not found', 'There is no such page, or it is gone.');
    if (status === 503) return this.#problem(503, 'One moment', 'The bank is busy. Try again in a few seconds.');
    if (status < 500)
      return this.#problem(status, 'That did not work', 'The bank could not make sense of this request.');
    if (refusal === undefined) this.#logger.error(error instanceof Error ? error.stack : String(error));
    return this.#problem(500, 'Something went wrong', 'This is our fault. Please try again later.');
  }

  #problem(status: number, title: string, text: string): PageAnswer {
    const { home, homeLink } = this.writer.site;
    const body = html`<section class="card">
      <p>${text}</p>
      <p><a class="button wide" href="${home}">${homeLink}</a></p>
    </section>`;
    return { status, title, body, narrow: true };
  }

  /** Where the user is: the page asked for, or the one whose form was sent. */
  #pageOf(request: object): string {
    const { home } = this.writer.site;
    const adapter = this.host.httpAdapter;
    if (adapter.getRequestMethod(request) === 'GET') return ownPath(adapter.getRequestUrl(request), home);
    const { referer } = (request as { headers: IncomingHttpHeaders }).headers;
    return ownPath(referer !== undefined && URL.canParse(referer) ? new URL(referer).pathname : undefined, home);
  }
}

/** The library's own word on an error, thrown by a handler or wrapped by a guard. */
function refusalOf(error: unknown): SessionAuthError | undefined {
  if (error instanceof SessionAuthError) return error;
  return error instanceof HttpException && error.cause instanceof SessionAuthError ? error.cause : undefined;
}
