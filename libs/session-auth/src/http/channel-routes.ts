import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import { ownerOf } from '../channels/channel.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { RouteSession } from './several-sessions.js';

/** Finds the session of a handler: see {@link RealmRegistry}. */
export interface RouteSessions {
  of(context: ExecutionContext): RouteSession;
  realmOf(context: ExecutionContext): string | undefined;
}

/**
 * By the object that all handlers of an operation or a connection share. One operation may run handlers of several
 * realms, and field resolvers without guards. So unlike in HTTP, the session bound to the request does not determine
 * the realm of a handler.
 */
const ROUTES = new WeakMap<object, RouteSessions>();

/** Lets parameter decorators of an operation or a connection find sessions. */
export function keepRoutes(context: ExecutionContext, routes: RouteSessions): void {
  const owner = ownerOf(context);
  if (owner !== undefined) ROUTES.set(owner, routes);
}

/**
 * Returns the session of a handler outside of HTTP; undefined for a message of a microservice, which has no session.
 *
 * @throws SessionAuthError `request_not_bound`
 */
export function channelRouteOf(context: ExecutionContext): RouteSession | undefined {
  if (context.getType() === 'rpc') return undefined;
  const routes = routesOf(context);
  if (routes !== undefined) return routes.of(context);
  throw new SessionAuthError(
    'request_not_bound',
    'this operation has not passed the guard of SessionAuthModule: import the module, and in a federated graph let guards run ' +
      "for what resolves references, by fieldResolverEnhancers: ['guards'] of GraphQLModule",
  );
}

/** Returns the realm of a handler outside of HTTP; undefined in a filter, which does not know the handler. */
export function realmOfChannel(host: ArgumentsHost): string | undefined {
  const context = host as Partial<ExecutionContext> & ArgumentsHost;
  return context.getHandler?.() ? routesOf(host)?.realmOf(context as ExecutionContext) : undefined;
}

function routesOf(host: ArgumentsHost): RouteSessions | undefined {
  const owner = ownerOf(host);
  return owner === undefined ? undefined : ROUTES.get(owner);
}
