import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { CsrfGuard } from '../csrf/csrf.guard.js';
import { EmbeddingGuard } from '../csrf/embedding.guard.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { isOurParameter } from '../guards/parameter.decorators.js';
import { SessionGuard } from '../guards/session-auth.guard.js';
import { hasGuard, type GuardClass } from '../http/named-guard.js';
import { RealmRegistry } from '../http/realm-registry.js';
import type { MappedRoute } from '../http/mapped-routes.js';

/** Where Nest keeps the decorators of parameters. */
const PARAMETERS = '__routeArguments__';

const OURS: readonly GuardClass[] = [SessionGuard, CsrfGuard, EmbeddingGuard];

/** Refuses at boot the routes of a realm that no module makes: no request could pass them. */
@Injectable()
export class RouteRealms {
  constructor(private readonly realms: RealmRegistry) {}

  /** @throws SessionAuthError `invalid_configuration` */
  check(route: MappedRoute): void {
    const { names, isNamed } = this.realms.namesOf(route.handler, route.type);
    const missing = names.find((realm) => !this.realms.names.includes(realm));
    if (missing === undefined) return;
    // a route without any requirement may name any realm
    const asks = isNamed ? `@Realm('${missing}')` : whatAsks(route);
    if (asks === undefined) return;
    throw new SessionAuthError(
      'invalid_configuration',
      `${route.type.name}.${route.name}: ${asks}: no SessionAuthModule has the option realm: '${missing}'; there is ` +
        this.realms.names.map((each) => `'${each}'`).join(', '),
    );
  }
}

/**
 * Returns what requires a session or a CSRF token on a handler or its controller; undefined without such a requirement.
 */
function whatAsks({ type, handler, name }: MappedRoute): string | undefined {
  const isGuarded = [handler, type].some((target) => OURS.some((guard) => hasGuard(target, guard)));
  if (isGuarded) return 'a guard without @Realm()';
  const parameters = (Reflect.getMetadata(PARAMETERS, type, name) ?? {}) as Readonly<Record<string, object>>;
  const hasParameter = Object.values(parameters).some(isOurParameter);
  return hasParameter ? '@CurrentSession() or @CurrentUser() without @Realm()' : undefined;
}
