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
import { Clock } from '../time/clock.js';
import { toMilliseconds, type Duration } from '../time/durations.js';
import { HandlerMetadata } from '../http/handler-metadata.js';
import { requireSession } from '../session/require-session.js';

const RECENT_AUTH = 'nestjs-session-auth:recent-auth';
const recentAuthMetadata = new HandlerMetadata<number>(RECENT_AUTH);

/**
 * Lets a session pass whose user proved who they are within the time of {@link RequireRecentAuth} (ASVS 7.5.1).
 *
 * @throws HttpException 401 `session_required` or `recent_authentication_required`, 503 `session_store_unavailable`
 */
export class RecentAuthGuard implements CanActivate {
  constructor(
    @Inject(RequestSessions) private readonly sessions: RequestSessions,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const maxAge = recentAuthMetadata.of(context);
    if (maxAge === undefined) return true;
    const bound = this.sessions.of(context);
    return stepOverHttp(bound.exchange, async () => {
      const { authenticatedAt, authentication } = requireSession(await bound.load());
      const age = this.clock.now() - (authenticatedAt?.getTime() ?? -Infinity);
      if (age <= maxAge && authentication !== 'remember-me') return true;
      throw new SessionAuthError('recent_authentication_required', 'enter your password again to go on');
    });
  }
}

/**
 * Only for users who entered their password (or logged in otherwise in full) within `maxAge`. A remembered login does
 * not count. The client gets on by `POST reauthenticate`. Brings its guard along.
 *
 * @throws SessionAuthError `invalid_configuration` at once for what is no duration
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
