import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { asHttpException } from '../http/http-exception.js';
import { RealmRegistry } from '../http/realm-registry.js';
import { isOfConnection, SeveralSessions } from '../http/several-sessions.js';
import { csrfOf } from './csrf.guard.js';

/**
 * Keeps pages of other origins from embedding a handler's response: as picture, script, style, frame, or by a fetch
 * (ASVS 3.5.8). Links and typed addresses still work, and an origin of `csrf.trustedOrigins` may fetch with CORS. Costs
 * no store call.
 *
 * `SameSite` does that for pages of other sites, but not for those of sibling hosts, and not with `sameSite: 'none'`.
 * Browsers send `Sec-Fetch-*`; for those that do not, the response has `Cross-Origin-Resource-Policy: same-origin`,
 * which covers all but frames. Clients that are not browsers pass. On a route of several realms, each realm must trust
 * an origin, unless an earlier guard has read the session: then only its realm must.
 *
 * @throws HttpException 403 `csrf_failed`
 */
@Injectable()
export class EmbeddingGuard implements CanActivate {
  constructor(private readonly realms: RealmRegistry) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() === 'rpc' || context.getType() === 'ws') return true;
    try {
      const route = this.realms.of(context);
      if (isOfConnection(route)) return true;
      // an origin that only one realm trusts may not embed a response for a session of another
      for (const each of route instanceof SeveralSessions ? route.possible : [route]) csrfOf(each).guardEmbedding(each);
      return true;
    } catch (error) {
      throw asHttpException(error, context);
    }
  }
}
