import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { isMutation } from '../channels/graphql-operation.js';
import { asHttpException } from '../http/http-exception.js';
import { namesGuard } from '../http/named-guard.js';
import { RealmRegistry } from '../http/realm-registry.js';
import { metadataOf } from '../http/request-session-factory.js';
import { RequestSession } from '../http/request-session.js';
import { isOfConnection, type SeveralSessions } from '../http/several-sessions.js';
import { CSRF, type CsrfProtection } from './csrf-metadata.js';
import { CsrfService } from './csrf.service.js';

/**
 * Lets a request pass that another site cannot have sent: one with a safe verb, or one from a known origin with the
 * token of {@link CsrfService.issue}. Costs no store call, except on a route of several realms, where it finds the
 * session. {@link CsrfExempt} handlers are open, unless the handler itself names this guard. With `csrf.global` it runs
 * on every route.
 *
 * The verb is that of the request line: no `_method` field and no override header makes a request safe. In GraphQL the
 * operation decides instead of the verb: a query is safe, a mutation is not.
 *
 * @throws HttpException 403 `csrf_failed`, the same response for every reason
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  constructor(private readonly realms: RealmRegistry) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    // messages on an open connection have no cookie of their own; their handshake was checked
    if (context.getType() === 'rpc' || context.getType() === 'ws') return true;
    const protection = metadataOf<CsrfProtection | 'exempt'>(CSRF, context);
    if (protection === 'exempt' && !namesGuard(context, CsrfGuard)) return true;
    const isOperation = context.getType() !== 'http';
    if (isOperation && !isMutation(context)) return true;
    const given = protection === 'exempt' ? {} : protection;
    try {
      const route = (this.realms.only ?? this.realms).of(context);
      if (!(route instanceof RequestSession)) {
        // a connection's origin was checked when it was opened
        return isOfConnection(route) || this.#guardSeveral(context, route, isOperation, given);
      }
      const csrf = csrfOf(route);
      if (isOperation || csrf.isProtected(route, given)) csrf.guard(route, given);
      return true;
    } catch (error) {
      throw asHttpException(error, context);
    }
  }

  /** The session determines which realm's token is required. */
  async #guardSeveral(
    context: ExecutionContext,
    route: SeveralSessions,
    isOperation: boolean,
    protection?: CsrfProtection,
  ): Promise<boolean> {
    const isProtected = (each: RequestSession): boolean => isOperation || csrfOf(each).isProtected(each, protection);
    try {
      if (!route.candidates.some(isProtected)) return true;
      const requestSession = await route.settle();
      if (isProtected(requestSession)) csrfOf(requestSession).guard(requestSession, protection);
      return true;
    } catch (error) {
      throw asHttpException(error, context);
    }
  }
}

/** Returns the service that checks a request, with the options of its realm. */
export function csrfOf({ services }: RequestSession): CsrfService {
  return services.above.get(CsrfService) as CsrfService;
}
