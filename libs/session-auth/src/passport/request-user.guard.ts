import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { keepRoutes } from '../http/channel-routes.js';
import { asHttpException } from '../http/http-exception.js';
import { RealmRegistry } from '../http/realm-registry.js';
import { isOfConnection } from '../http/several-sessions.js';
import { installMethods } from './passport-methods.js';
import { REQUEST_USER, type RequestUser } from './passport.options.js';
import type { PassportRequest } from './request-state.js';
import { fillUser } from './request-user.js';

/**
 * Lets every request pass, and sets `req.user` and passport's methods for later code: guards of routes, interceptors,
 * pipes and handlers. A request without a session cookie costs nothing.
 */
@Injectable()
export class RequestUserGuard implements CanActivate {
  constructor(
    private readonly realms: RealmRegistry,
    @Inject(REQUEST_USER) private readonly requestUser: RequestUser,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const type = context.getType<string>();
    if (type !== 'http' && type !== 'graphql') return true;
    try {
      // it may run before the guard that does this for all routes
      if (type === 'graphql') keepRoutes(context, this.realms);
      const route = this.realms.bind(context);
      if (route === undefined || isOfConnection(route)) return true;
      const request: PassportRequest = this.realms.requestOf(context, route.present);
      installMethods(request);
      await fillUser(request, route, this.requestUser);
    } catch (error) {
      if (type === 'http' || !isWithoutRequest(error)) throw asHttpException(error, context);
    }
    return true;
  }
}

function isWithoutRequest(error: unknown): boolean {
  return error instanceof SessionAuthError && error.code === 'request_not_bound';
}
