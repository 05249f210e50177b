import { applyDecorators, Injectable, SetMetadata, UseGuards, type ExecutionContext } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { metadataOf } from '../http/request-session-factory.js';
import type { UserSession } from '../session/session.js';
import type { Clock } from '../time/clock.js';
import { toMilliseconds, type Duration } from '../time/durations.js';
import { SessionGuard } from './session-auth.guard.js';

const RECENT_AUTH = 'nestjs-session-auth:recent-auth';

/**
 * Lets a session pass whose user proved their identity within the time of {@link RequireRecentAuth} (ASVS 7.5.1).
 *
 * @throws HttpException 401 `session_required` or `recent_authentication_required`, 503 `session_store_unavailable`
 */
@Injectable()
export class RecentAuthGuard extends SessionGuard<number> {
  protected override requirementOf(context: ExecutionContext): number | undefined {
    return metadataOf(RECENT_AUTH, context);
  }

  protected override check(session: UserSession, maxAge: number, clock: Clock): void {
    requireRecentAuth(session, maxAge, clock.now());
  }
}

/**
 * @param maxAge milliseconds
 * @throws SessionAuthError `recent_authentication_required` for a session whose user proved their identity longer ago,
 *   and for one that a remember-me token started
 */
export function requireRecentAuth({ authenticatedAt, authentication }: UserSession, maxAge: number, now: number): void {
  const age = now - (authenticatedAt?.getTime() ?? -Infinity);
  if (age <= maxAge && authentication !== 'remember-me') return;
  throw new SessionAuthError('recent_authentication_required', 'enter your password again to continue');
}

/**
 * Requires that the user entered their password, or fully logged in by other means, within `maxAge`. A remembered login
 * does not count. The client continues with `POST reauthenticate`. Adds its guard.
 *
 * @throws SessionAuthError `invalid_configuration` at once for an invalid duration
 */
export function RequireRecentAuth(maxAge: Duration): MethodDecorator & ClassDecorator {
  const milliseconds = toMilliseconds(maxAge);
  if (milliseconds === undefined) {
    throw new SessionAuthError(
      'invalid_configuration',
      `@RequireRecentAuth(${JSON.stringify(maxAge)}): not a duration such as '10m'`,
    );
  }
  return applyDecorators(SetMetadata(RECENT_AUTH, milliseconds), UseGuards(RecentAuthGuard));
}
