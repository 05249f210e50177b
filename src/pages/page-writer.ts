import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost, type AbstractHttpAdapter } from '@nestjs/core';
import { CsrfService, SessionAuthService, type Session } from 'nestjs-session-auth';
import { frame } from './frame.js';
import { LastSession } from './last-session.js';
import { SeeOther, type PageAnswer, type PageContent } from './page.js';
import { SITE, type Site } from './site.js';

/** What the pages keep in a session. */
interface PageData {
  /** To be shown once. */
  readonly pageNotice?: string;
}

/** No page runs a script but the site's own files, loads anything from elsewhere, is framed, or is stored. */
const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  // with `no-referrer` browsers would send `Origin: null` with the forms, which is refused
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Writes pages to responses, of Express or Fastify. */
@Injectable()
export class PageWriter {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(LastSession) private readonly lastSession: LastSession,
    @Inject(SITE) readonly site: Site,
  ) {}

  /** Sets status and headers, and answers the body to send. */
  async write(request: object, response: object, answer: PageAnswer): Promise<string> {
    const session: Session<PageData> | undefined = await this.auth.current(request);
    if (session?.userId !== undefined) this.lastSession.remember(request, response, session.id);
    if (answer instanceof SeeOther) {
      if (answer.notice !== undefined) await session?.update({ pageNotice: answer.notice });
      return this.#redirect(response, answer);
    }
    const notice = await takeNotice(session);
    const signOut = session?.userId === undefined ? undefined : this.csrf.formField(request);
    this.#setHead(response, answer);
    return frame(answer, this.site, {
      roles: session?.roles ?? [],
      signOut,
      notice,
      path: String(this.#adapter.getRequestUrl(request)),
    });
  }

  /** Answers without a look at the session: it may be what failed. */
  send(response: object, answer: PageAnswer): void {
    if (answer instanceof SeeOther) {
      this.#adapter.reply(response, this.#redirect(response, answer));
      return;
    }
    this.#setHead(response, answer);
    this.#adapter.reply(response, frame(answer, this.site));
  }

  get #adapter(): AbstractHttpAdapter {
    return this.host.httpAdapter;
  }

  #redirect(response: object, { path }: SeeOther): string {
    this.#setHead(response, { status: 303 });
    this.#adapter.setHeader(response, 'Location', path);
    return '';
  }

  #setHead(response: object, { status = 200, retryAfter }: Pick<PageContent, 'status' | 'retryAfter'>): void {
    this.#adapter.status(response, status);
    for (const [name, value] of Object.entries(HEADERS)) this.#adapter.setHeader(response, name, value);
    if (retryAfter !== undefined) this.#adapter.setHeader(response, 'Retry-After', String(retryAfter));
  }
}

async function takeNotice(session: Session<PageData> | undefined): Promise<string | undefined> {
  const notice = session?.data.pageNotice;
  if (notice === undefined) return undefined;
  await session!.update({ pageNotice: undefined });
  return String(notice);
}
