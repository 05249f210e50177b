import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { keepRoutes } from '../http/channel-routes.js';
import type { RealmRegistry } from '../http/realm-registry.js';

/** A guard that stands before every route of a realm, whether that is the route's only realm or one of several. */
export class GuardOfRealm implements CanActivate {
  constructor(
    private readonly realms: RealmRegistry,
    private readonly realm: string,
    private readonly guard: CanActivate,
  ) {}

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    // it may stand before the guard that does it for all
    if (context.getType() !== 'http') keepRoutes(context, this.realms);
    return !this.realms.isOf(context, this.realm) || this.guard.canActivate(context);
  }
}
