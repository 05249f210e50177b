import { Injectable, type Abstract, type ExecutionContext, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { DEFAULT_REALM } from '../realms/realm-name.js';
import { ROUTE_REALMS } from '../realms/realm.decorator.js';
import type { RouteSessions } from './channel-routes.js';
import type { RequestServices } from './request-services.js';
import type { RequestSession } from './request-session.js';
import { bindSeveral, boundTo, type RequestSessionFactory } from './request-session-factory.js';
import { SeveralSessions, type RouteSession } from './several-sessions.js';

/** The realms of a route. */
interface RouteRealms {
  readonly names: readonly string[];
  of(context: ExecutionContext): RouteSession;
}

/** Something that belongs to one realm: two realms with the same one are refused at boot. */
export interface RealmClaim {
  /** The option that sets it. */
  readonly option: string;
  /** If equal for two realms, they claim the same thing. */
  readonly of: unknown;
  /** Names it in the error message. */
  readonly what: string;
  /** Says in the error message how to resolve the conflict. */
  readonly allowed: string;
}

/** The parts of a realm that the guards need. */
export interface RegisteredRealm {
  readonly requestSessions: RequestSessionFactory;
  /** Services by class. */
  readonly services: ReadonlyMap<unknown, object>;
  /** @default none */
  readonly claims?: readonly RealmClaim[];
}

/** The realms of an application. All modules share one instance. */
@Injectable()
export class RealmRegistry implements RouteSessions {
  readonly #realms = new Map<string, RegisteredRealm>();
  readonly #claimed = new Map<unknown, string>();
  /** By class and handler: subclasses share the handlers of a class. */
  readonly #routes = new WeakMap<object, WeakMap<object, RouteRealms>>();
  /** The default realm if there is no other: every route belongs to it then, and no look-up is needed. */
  only: RequestSessionFactory | undefined;

  constructor(private readonly reflector: Reflector) {}

  /**
   * Adds a realm.
   *
   * @throws SessionAuthError `invalid_configuration` for an existing realm, and for a claim of another realm
   */
  add(name: string, realm: RegisteredRealm): void {
    if (this.#realms.has(name)) {
      throw new SessionAuthError(
        'invalid_configuration',
        `SessionAuthModule: realm: given '${name}' by two modules; allowed is one module for each realm`,
      );
    }
    for (const claim of realm.claims ?? []) this.#claim(name, claim);
    this.#realms.set(name, realm);
    realm.requestSessions.services.above = realm.services;
    const isAlone = this.#realms.size === 1 && name === DEFAULT_REALM;
    this.only = isAlone ? realm.requestSessions : undefined;
  }

  get names(): readonly string[] {
    return [...this.#realms.keys()];
  }

  /** Whether there is more than one realm. */
  get areSeveral(): boolean {
    return this.#realms.size > 1;
  }

  /** Returns the names of a handler's realms, from its decorator or the default one. They need not exist. */
  namesOf(handler: object, type: object): { readonly names: readonly string[]; readonly isNamed: boolean } {
    const targets = [handler, type] as Parameters<Reflector['getAllAndOverride']>[1];
    const named = this.reflector.getAllAndOverride<readonly string[] | undefined>(ROUTE_REALMS, targets);
    return { names: named ?? [DEFAULT_REALM], isNamed: named !== undefined };
  }

  /**
   * Returns the session of the request of a handler's context. Binds it now if it is not bound yet.
   *
   * @throws SessionAuthError `not_configured` for a route of a realm that no module makes
   */
  of(context: ExecutionContext): RouteSession {
    return this.only === undefined ? this.#routeOf(context).of(context) : this.only.of(context);
  }

  /** Whether a realm is one of those of a route. */
  isOf(context: ExecutionContext, realm: string): boolean {
    return this.only !== undefined || this.#routeOf(context).names.includes(realm);
  }

  /** Returns the realm that applies to a handler's context. */
  realmOf(context: ExecutionContext): string | undefined {
    if (this.only !== undefined) return DEFAULT_REALM;
    const route = this.#routeOf(context);
    return route.names.length === 1 ? route.names[0] : route.of(context).present.realm;
  }

  /** As {@link of}; does nothing for a route of a realm that no module makes. */
  bind(context: ExecutionContext): RouteSession | undefined {
    const isMade = this.#routeOf(context).names.every((name) => this.#realms.has(name));
    return isMade ? this.of(context) : undefined;
  }

  /** Returns the services that read and check sessions of a realm. */
  servicesOf(realm: string): RequestServices {
    return this.#realms.get(realm)!.requestSessions.services;
  }

  /** Returns the request that the application's own code sees: {@link RequestSessionFactory.requestOf}. */
  requestOf(context: ExecutionContext, { realm }: { readonly realm: string }): object {
    return this.#realms.get(realm)!.requestSessions.requestOf(context);
  }

  /** Returns a service of the realm in which a request was bound. */
  serviceOf<T extends object>({ realm }: { readonly realm: string }, type: Type<T> | Abstract<T>): T {
    return this.#realms.get(realm)!.services.get(type) as T;
  }

  #claim(realm: string, { option, of, what, allowed }: RealmClaim): void {
    const owner = this.#claimed.get(of) ?? realm;
    this.#claimed.set(of, owner);
    if (owner === realm) return;
    throw new SessionAuthError(
      'invalid_configuration',
      `SessionAuthModule of realm '${realm}': ${option}: given ${what}, as realm '${owner}' has; allowed is ${allowed}`,
    );
  }

  #routeOf(context: ExecutionContext): RouteRealms {
    const [type, handler] = [context.getClass(), context.getHandler()];
    const routes = this.#routes.get(type) ?? new WeakMap<object, RouteRealms>();
    this.#routes.set(type, routes);
    const route = routes.get(handler) ?? this.#makeRoute(this.namesOf(handler, type).names);
    routes.set(handler, route);
    return route;
  }

  #makeRoute(names: readonly string[]): RouteRealms {
    const factories = names.map((name) => this.#realms.get(name)?.requestSessions);
    if (!factories.every((factory) => factory !== undefined)) return { names, of: () => refuse(names) };
    if (factories.length === 1) return ofOne(names[0]!, factories[0]!);
    const ofOperations = new WeakMap<object, SeveralSessions>();
    return {
      names,
      of: (context) =>
        context.getType() === 'http'
          ? severalOf(context, factories)
          : severalOfOperation(context, factories, ofOperations),
    };
  }
}

function ofOne(name: string, requestSessions: RequestSessionFactory): RouteRealms {
  return { names: [name], of: (context) => requestSessions.of(context) };
}

function severalOf(context: ExecutionContext, factories: readonly RequestSessionFactory[]): SeveralSessions {
  const request = context.switchToHttp().getRequest<object>();
  const bound = boundTo(request);
  const isOfRoute =
    bound instanceof SeveralSessions &&
    bound.candidates.length === factories.length &&
    bound.candidates.every(({ services }, place) => services === factories[place]!.services);
  if (isOfRoute) return bound;
  const several = new SeveralSessions(factories.map((each) => each.of(context) as RequestSession));
  bindSeveral(request, several);
  return several;
}

/**
 * Returns the session in several realms for a GraphQL request or a connection. These may serve handlers of other realms
 * too, so nothing is bound for all of them together.
 */
function severalOfOperation(
  context: ExecutionContext,
  factories: readonly RequestSessionFactory[],
  known: WeakMap<object, SeveralSessions>,
): SeveralSessions {
  // all of them are of one kind
  const candidates = factories.map((each) => each.of(context)) as RequestSession[];
  const several = known.get(candidates[0]!) ?? new SeveralSessions(candidates);
  known.set(candidates[0]!, several);
  return several;
}

function refuse(names: readonly string[]): never {
  throw new SessionAuthError(
    'not_configured',
    `this route is of realm '${names.join("', '")}', but no SessionAuthModule has it: add the module, or name another realm with @Realm()`,
  );
}
