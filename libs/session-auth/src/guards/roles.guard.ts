import {
  applyDecorators,
  Inject,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { stepOverHttp } from '../http/http-error.js';
import { RequestSessions } from '../http/request-sessions.js';
import { HandlerMetadata } from '../http/handler-metadata.js';
import { requireSession } from '../session/require-session.js';

const ROLES = 'nestjs-session-auth:roles';
const rolesMetadata = new HandlerMetadata<readonly string[]>(ROLES);

/**
 * Lets a session pass that has one of the roles of {@link Roles}. Needs no other guard: without a session it answers
 * `session_required`.
 *
 * @throws HttpException 401 `session_required`, 403 `forbidden`, 503 `session_store_unavailable`
 */
export class RolesGuard implements CanActivate {
  constructor(@Inject(RequestSessions) private readonly sessions: RequestSessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const roles = rolesMetadata.of(context);
    if (roles === undefined) return true;
    const bound = this.sessions.of(context);
    return stepOverHttp(bound.exchange, async () => {
      const session = requireSession(await bound.load());
      if (roles.some((role) => session.roles.includes(role))) return true;
      throw new SessionAuthError('forbidden', 'your account does not have the role that this asks for');
    });
  }
}

/**
 * Only for users with one of these roles. On a handler or a controller; the handler's word counts where both have one.
 * Brings its guard along, and asks for a session also where {@link Public} stands. Without any role nobody passes.
 */
export function Roles(...roles: string[]): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(ROLES, roles), UseGuards(RolesGuard));
}
