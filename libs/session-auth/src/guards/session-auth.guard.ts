import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { isRootField } from '../channels/graphql-operation.js';
import { keepRoutes } from '../http/channel-routes.js';
import { asHttpException } from '../http/http-exception.js';
import { namesGuard } from '../http/named-guard.js';
import { RealmRegistry } from '../http/realm-registry.js';
import { metadataOf } from '../http/request-session-factory.js';
import { isOfConnection, SeveralSessions, type ConnectionRoute } from '../http/several-sessions.js';
import { requireSession, type UserSession } from '../session/session.js';
import type { Clock } from '../time/clock.js';
import { PUBLIC } from './public.decorator.js';

/**
 * Binds the lazy session of the route's realm to the request, for later guards, decorators and services, and lets every
 * request pass. It runs on every route of the application, and costs no store call. It ignores routes of a realm that
 * does not exist.
 */
@Injectable()
export class SessionBindingGuard implements CanActivate {
  constructor(private readonly realms: RealmRegistry) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return this.#passChannel(context);
    if (this.realms.only === undefined) this.realms.bind(context);
    else this.realms.only.of(context);
    return true;
  }

  #passChannel(context: ExecutionContext): true {
    keepRoutes(context, this.realms);
    if (context.getType<string>() !== 'graphql') return true;
    try {
      const route = this.realms.bind(context);
      // each event of a subscription may run guards of field resolvers
      if (route !== undefined && isOfConnection(route) && isRootField(context)) noteActivity(route);
    } catch (error) {
      if (!isWithoutSession(error)) throw asHttpException(error, context);
    }
    return true;
  }
}

function noteActivity(route: ConnectionRoute): void {
  for (const each of route instanceof SeveralSessions ? route.candidates : [route]) each.noteActivity();
}

/** Only code that requires a session should fail for a missing request, or a missing session of its realm. */
function isWithoutSession(error: unknown): boolean {
  return error instanceof SessionAuthError && ['request_not_bound', 'not_configured'].includes(error.code);
}

/**
 * A guard that checks the request's session. The decision depends on the handler, not on the path, so no spelling of a
 * path gets around it.
 */
@Injectable()
export abstract class SessionGuard<Requirement> implements CanActivate {
  constructor(private readonly realms: RealmRegistry) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const requirement = this.requirementOf(context);
    if (requirement === undefined) return true;
    try {
      const route = (this.realms.only ?? this.realms).of(context);
      const session = requireSession(await route.load());
      this.check?.(session, requirement, route.present.services.clock);
      return true;
    } catch (error) {
      throw asHttpException(error, context);
    }
  }

  /** Returns the handler's requirement; undefined: no requirement, not even a session. */
  protected abstract requirementOf(context: ExecutionContext): Requirement | undefined;

  /**
   * Checks requirements beyond a session of a user.
   *
   * @throws SessionAuthError for a session that does not meet the requirement
   */
  protected check?(session: UserSession, requirement: Requirement, clock: Clock): void;
}

/**
 * Lets a request pass that has a live session of a user. {@link Public} handlers are open, unless the handler itself
 * names this guard. With `global: true` it runs on every route.
 *
 * @throws HttpException 401 `session_required`, 503 `session_store_unavailable`
 */
@Injectable()
export class SessionAuthGuard extends SessionGuard<true> {
  protected override requirementOf(context: ExecutionContext): true | undefined {
    if (metadataOf<boolean>(PUBLIC, context) !== true) return true;
    return namesGuard(context, SessionAuthGuard) ? true : undefined;
  }
}
