import { applyDecorators, Injectable, SetMetadata, UseGuards, type ExecutionContext } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { metadataOf } from '../http/request-session-factory.js';
import type { UserSession } from '../session/session.js';
import { SessionGuard } from './session-auth.guard.js';

const FULL_AUTH = 'nestjs-session-auth:full-auth';

/**
 * Lets a session pass whose user fully logged in, not by remember-me: see {@link RequireFullAuth}.
 *
 * @throws HttpException 401 `session_required`, 401 `recent_authentication_required`, 503 `session_store_unavailable`
 */
@Injectable()
export class FullAuthGuard extends SessionGuard<boolean> {
  protected override requirementOf(context: ExecutionContext): boolean | undefined {
    return metadataOf(FULL_AUTH, context);
  }

  protected override check({ authentication }: UserSession): void {
    if (authentication !== 'remember-me') return;
    throw new SessionAuthError('recent_authentication_required', 'enter your password to continue');
  }
}

/**
 * Refuses sessions that a remember-me token started: the holder of the device may not know the password. The client
 * continues with `POST reauthenticate` or a login. Adds its guard.
 */
export function RequireFullAuth(): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(FULL_AUTH, true), UseGuards(FullAuthGuard));
}
