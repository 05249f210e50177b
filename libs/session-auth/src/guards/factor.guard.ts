import { applyDecorators, Injectable, SetMetadata, UseGuards, type ExecutionContext } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { metadataOf } from '../http/request-session-factory.js';
import type { UserSession } from '../session/session.js';
import { FACTOR_NAME_RULE, isFactorName } from '../session/session-factors.js';
import type { Clock } from '../time/clock.js';
import { toMilliseconds, type Duration } from '../time/durations.js';
import { SessionGuard } from './session-auth.guard.js';

interface RequiredFactor {
  /** One of them is enough. */
  readonly factors: readonly string[];
  /** Milliseconds. */
  readonly maxAge: number;
}

const FACTOR = 'nestjs-session-auth:factor';

/**
 * Lets a session pass in which a further factor of {@link RequireFactor} was proved (ASVS 7.5.3).
 *
 * @throws HttpException 401 `session_required`, 401 `further_factor_required` with the accepted `factors`, 503
 *   `session_store_unavailable`
 */
@Injectable()
export class FactorGuard extends SessionGuard<RequiredFactor> {
  protected override requirementOf(context: ExecutionContext): RequiredFactor | undefined {
    return metadataOf(FACTOR, context);
  }

  protected override check({ factors: proved }: UserSession, { factors, maxAge }: RequiredFactor, clock: Clock): void {
    const earliest = clock.now() - maxAge;
    if (factors.some((factor) => (proved[factor]?.getTime() ?? NaN) >= earliest)) return;
    const message = `one of these factors is required: ${factors.join(', ')}`;
    throw new SessionAuthError('further_factor_required', message, { factors });
  }
}

/**
 * Requires that the user has proved a further factor in this session, optionally within `maxAge`: see
 * {@link SessionAuthService.factorCompleted}. Of several factors one is enough. Use it on a handler or a controller;
 * the handler overrides its controller. Adds its guard.
 *
 * It requires only the factor: add {@link RequireFullAuth} or {@link RequireRecentAuth} if a remembered device is not
 * enough.
 *
 * @throws SessionAuthError `invalid_configuration` at once for an invalid name of a factor or an invalid duration
 */
export function RequireFactor(factor: string | readonly string[], maxAge?: Duration): MethodDecorator & ClassDecorator {
  const factors = [factor].flat();
  const milliseconds = maxAge === undefined ? Infinity : toMilliseconds(maxAge);
  if (factors.length === 0 || !factors.every(isFactorName)) {
    throw refused(factor, `a factor's name must be ${FACTOR_NAME_RULE}`);
  }
  if (milliseconds === undefined) throw refused(maxAge, "not a duration such as '10m'");
  const required: RequiredFactor = { factors, maxAge: milliseconds };
  return applyDecorators(SetMetadata(FACTOR, required), UseGuards(FactorGuard));
}

function refused(given: unknown, why: string): SessionAuthError {
  return new SessionAuthError('invalid_configuration', `@RequireFactor(${JSON.stringify(given)}): ${why}`);
}
