import { Inject, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { asHttpError, toHttpException } from '../http/http-error.js';
import type { RequestSession } from '../http/request-session.js';
import { RequestSessions } from '../http/request-sessions.js';
import { publicMetadata } from './public.decorator.js';
import { requireSession, sessionRequired } from '../session/require-session.js';

/**
 * Lets a request pass that has a live session of a user; {@link Public} handlers are open. With `global: true` it
 * stands before every route.
 *
 * The decision rests on the handler, not on the path, so no spelling of a path gets around it.
 *
 * @throws HttpException 401 `session_required`, 503 `session_store_unavailable`
 */
export class SessionAuthGuard implements CanActivate {
  constructor(@Inject(RequestSessions) private readonly sessions: RequestSessions) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (publicMetadata.of(context) === true) return true;
    const bound = this.sessions.of(context);
    // most of those who try out cookies: not worth waiting, nor a throw through all that called
    if (bound.isWithoutCookie) return Promise.reject(toHttpException(sessionRequired(), bound.exchange));
    return this.#admit(bound);
  }

  // every request of a session comes here: one step, without a closure for it
  async #admit(bound: RequestSession): Promise<boolean> {
    try {
      // a device that is remembered is looked for only where there is no live session
      requireSession((await bound.loadLive()) ?? (await bound.load()));
      return true;
    } catch (error) {
      throw asHttpError(error, bound.exchange);
    }
  }
}
