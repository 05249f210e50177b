import { applyDecorators, Injectable, SetMetadata, UseGuards, type ExecutionContext } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { metadataOf } from '../http/request-session-factory.js';
import type { UserSession } from '../session/session.js';
import { SessionGuard } from './session-auth.guard.js';

const ROLES = 'nestjs-session-auth:roles';

/**
 * Lets a session pass that has one of the roles of {@link Roles}. Needs no other guard: without a session it refuses
 * with `session_required`.
 *
 * @throws HttpException 401 `session_required`, 403 `forbidden`, 503 `session_store_unavailable`
 */
@Injectable()
export class RolesGuard extends SessionGuard<readonly string[]> {
  protected override requirementOf(context: ExecutionContext): readonly string[] | undefined {
    return metadataOf(ROLES, context);
  }

  protected override check(session: UserSession, roles: readonly string[]): void {
    if (roles.some((role) => session.roles.includes(role))) return;
    throw new SessionAuthError('forbidden', 'your account does not have the required role');
  }
}

/**
 * Requires one of these roles. Use it on a handler or a controller; the handler overrides its controller. Adds its
 * guard, and requires a session even with {@link Public}. Without any role nobody passes.
 */
export function Roles(...roles: string[]): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(ROLES, roles), UseGuards(RolesGuard));
}
