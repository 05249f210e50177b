import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { asHttpException } from '../http/http-exception.js';
import { namesGuard } from '../http/named-guard.js';
import { RequestSessionFactory } from '../http/request-session-factory.js';
import { requireSession, type UserSession } from '../session/session.js';
import { PUBLIC } from './public.decorator.js';

/**
 * A guard that asks something of the request's session. The decision rests on the handler, not on the path, so no
 * spelling of a path gets around it.
 */
@Injectable()
export abstract class SessionGuard<Requirement> implements CanActivate {
  constructor(
    private readonly requestSessions: RequestSessionFactory,
    protected readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const requirement = this.requirementOf(context);
    if (requirement === undefined) return true;
    try {
      const session = requireSession(await this.requestSessions.of(context).load());
      this.check?.(session, requirement);
      return true;
    } catch (error) {
      throw asHttpException(error, context);
    }
  }

  /** What the handler asks for; undefined: nothing, not even a session. */
  protected abstract requirementOf(context: ExecutionContext): Requirement | undefined;

  /**
   * Where more is asked for than a session of a user.
   *
   * @throws SessionAuthError for a session that does not meet the requirement
   */
  protected check?(session: UserSession, requirement: Requirement): void;
}

/**
 * Lets a request pass that has a live session of a user; {@link Public} handlers are open, unless the handler itself names
 * this guard. With `global: true` it stands before every route.
 *
 * @throws HttpException 401 `session_required`, 503 `session_store_unavailable`
 */
@Injectable()
export class SessionAuthGuard extends SessionGuard<true> {
  protected override requirementOf(context: ExecutionContext): true | undefined {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets) !== true) return true;
    return namesGuard(context, SessionAuthGuard) ? true : undefined;
  }
}
