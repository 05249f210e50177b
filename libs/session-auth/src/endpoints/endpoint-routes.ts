import { Injectable, RequestMethod } from '@nestjs/common';
import { SessionAuthController } from './session-auth.controller.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { RealmRegistry } from '../http/realm-registry.js';
import type { MappedRoute } from '../http/mapped-routes.js';

/**
 * Refuses at boot a route that both a ready-made endpoint and another handler have: the first one to be mapped would
 * win.
 */
@Injectable()
export class EndpointRoutes {
  constructor(private readonly realms: RealmRegistry) {}

  /** @throws SessionAuthError `invalid_configuration` */
  check(routes: readonly MappedRoute[]): void {
    const endpoints = routes.filter(isEndpoint);
    for (const endpoint of endpoints) {
      const shapes = endpoint.paths.map(shapeOf);
      for (const other of routes) {
        const isSameVerb = other.method === endpoint.method || other.method === RequestMethod.ALL;
        const isOther = other !== endpoint && isSameVerb && !other.isOfHost;
        const path = isOther ? other.paths.find((each) => shapes.includes(shapeOf(each))) : undefined;
        if (path !== undefined) throw this.#refuse(endpoint, other, path);
      }
    }
  }

  #refuse(endpoint: MappedRoute, other: MappedRoute, path: string): SessionAuthError {
    const owner = isEndpoint(other) ? `realm '${this.#realmOf(other)}'` : `${other.type.name}.${other.name}`;
    return new SessionAuthError(
      'invalid_configuration',
      `SessionAuthModule of realm '${this.#realmOf(endpoint)}': endpoints.except: ` +
        `${RequestMethod[endpoint.method]} ${path} is also mapped by ${owner}; allowed is another endpoints.path, ` +
        `or endpoints.except: ['${endpoint.name}'], which leaves this route to ${owner}`,
    );
  }

  #realmOf({ handler, type }: MappedRoute): string {
    return this.realms.namesOf(handler, type).names[0]!;
  }
}

function isEndpoint({ type }: MappedRoute): boolean {
  return type.prototype instanceof SessionAuthController;
}

/**
 * Returns the same text for paths that are one route: names of parameters do not matter, and on Express neither do
 * capitals.
 */
function shapeOf(path: string): string {
  return path
    .toLowerCase()
    .replace(/:\w+/g, ':')
    .replace(/\/{2,}/g, '/');
}
