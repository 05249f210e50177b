import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SessionEventPublisher, type SessionEndReason, type SessionEvent } from 'nestjs-session-auth';
import { SITE, type Site } from './site.js';

/** Why a session is over. */
export type SessionEnd = SessionEndReason | 'evicted' | 'expired';

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';
const KEPT = 1000;

/**
 * Tells a browser that is signed out why that is. A dead session says nothing any more, so the browser remembers the
 * handle of its session (which authenticates nobody) and this node how the latest sessions ended.
 */
@Injectable()
export class LastSession implements OnModuleInit {
  readonly #ends = new Map<string, SessionEnd>();
  readonly #cookie: string;

  constructor(
    @Inject(SessionEventPublisher) private readonly events: SessionEventPublisher,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(SITE) { lastSessionCookie }: Site,
  ) {
    this.#cookie = lastSessionCookie;
  }

  onModuleInit(): void {
    this.events.subscribe((event) => this.#note(event));
  }

  /** The browser of this request has this session now. */
  remember(request: object, response: object, sessionId: string): void {
    if (this.#handleIn(request) !== sessionId) this.#setCookie(response, `${this.#cookie}=${sessionId}; ${ATTRIBUTES}`);
  }

  /** How the browser's last session ended, told once; undefined when it had none. */
  takeEnd(request: object, response: object): SessionEnd | undefined {
    const handle = this.#handleIn(request);
    if (handle === undefined) return undefined;
    this.#setCookie(response, `${this.#cookie}=; Max-Age=0; ${ATTRIBUTES}`);
    // a store forgets by itself what has expired, and tells nobody
    return this.#ends.get(handle) ?? 'expired';
  }

  #note(event: SessionEvent): void {
    if (event.type === 'session.destroyed') this.#keep(event.sessionId, event.reason);
    else if (event.type === 'session.evicted') this.#keep(event.sessionId, 'evicted');
    else if (event.type === 'session.expired') this.#keep(event.sessionId, 'expired');
  }

  #keep(sessionId: string, end: SessionEnd): void {
    this.#ends.set(sessionId, end);
    for (const oldest of this.#ends.keys()) {
      if (this.#ends.size <= KEPT) break;
      this.#ends.delete(oldest);
    }
  }

  #setCookie(response: object, line: string): void {
    this.host.httpAdapter.appendHeader(response, 'Set-Cookie', line);
  }

  #handleIn(request: object): string | undefined {
    const { cookie = '' } = (request as { headers: IncomingHttpHeaders }).headers;
    return new RegExp(`(?:^|; )${this.#cookie}=([\\w-]{1,64})(?:;|$)`).exec(cookie)?.[1];
  }
}
