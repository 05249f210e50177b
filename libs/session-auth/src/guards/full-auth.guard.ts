import {
  applyDecorators,
  Inject,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { HandlerMetadata } from '../http/handler-metadata.js';
import { stepOverHttp } from '../http/http-error.js';
import { RequestSessions } from '../http/request-sessions.js';
import { requireSession } from '../session/require-session.js';

const FULL_AUTH = 'nestjs-session-auth:full-auth';
const fullAuthMetadata = new HandlerMetadata<boolean>(FULL_AUTH);

/**
 * Lets a session pass whose user logged in in full, not by remember-me: see {@link RequireFullAuth}.
 *
 * @throws HttpException 401 `session_required`, 401 `recent_authentication_required`, 503 `session_store_unavailable`
 */
export class FullAuthGuard implements CanActivate {
  constructor(@Inject(RequestSessions) private readonly sessions: RequestSessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (fullAuthMetadata.of(context) === undefined) return true;
    const bound = this.sessions.of(context);
    await stepOverHttp(bound.exchange, async () => {
      const { authentication } = requireSession(await bound.load());
      if (authentication === 'remember-me') {
        throw new SessionAuthError('recent_authentication_required', 'enter your password to go on');
      }
    });
    return true;
  }
}

/**
 * Not for sessions that come of a remember-me token: whoever holds the device, not whoever knows the password, has
 * one. The client gets on by `POST reauthenticate` or a login. Brings its guard along.
 */
export function RequireFullAuth(): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(FULL_AUTH, true), UseGuards(FullAuthGuard));
}
