import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { keepRoutes } from '../http/channel-routes.js';
import type { RealmRegistry } from '../http/realm-registry.js';

/** A guard that runs on every route of a realm, also if the route has several realms. */
export class GuardOfRealm implements CanActivate {
  constructor(
    private readonly realms: RealmRegistry,
    private readonly realm: string,
    private readonly guard: CanActivate,
  ) {}

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    // it may run before the guard that does this for all
    if (context.getType() !== 'http') keepRoutes(context, this.realms);
    return !this.realms.isOf(context, this.realm) || this.guard.canActivate(context);
  }
}
