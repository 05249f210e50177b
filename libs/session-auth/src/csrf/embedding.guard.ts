import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { asHttpException } from '../http/http-exception.js';
import { RealmRegistry } from '../http/realm-registry.js';
import { isOfConnection, SeveralSessions } from '../http/several-sessions.js';
import { csrfOf } from './csrf.guard.js';

/**
 * Keeps pages of other origins from embedding what a handler answers: as picture, script, style, frame, or by a fetch
 * (ASVS 3.5.8). Links and typed addresses lead there as ever, and an origin of `csrf.trustedOrigins` fetches with CORS.
 * Costs no store call.
 *
 * `SameSite` does that for pages of other sites, but not for those of sibling hosts, and not under `sameSite: 'none'`.
 * Browsers tell by `Sec-Fetch-*`; to those that do not, `Cross-Origin-Resource-Policy: same-origin` says the same of
 * all but frames. Clients that are no browsers pass. On a route of several realms, each of them has to trust an origin,
 * unless a guard before this one has asked for the session: then its realm has.
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
      // an origin that one realm trusts may not embed what a session of another gets
      for (const each of route instanceof SeveralSessions ? route.possible : [route]) csrfOf(each).guardEmbedding(each);
      return true;
    } catch (error) {
      throw asHttpException(error, context);
    }
  }
}
