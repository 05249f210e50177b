import 'reflect-metadata';
import { Injectable, Logger } from '@nestjs/common';
import { isObservable } from 'rxjs';
import type { MappedRoute } from '../http/mapped-routes.js';
import { RealmRegistry } from '../http/realm-registry.js';
import { boundTo } from '../http/request-session-factory.js';
import type { HttpRouteSession } from '../http/several-sessions.js';
import { LiveSessions } from '../link/live-sessions.js';
import { untilSessionEnds } from './until-session-ends.js';

/** Where Nest keeps the metadata of stream handlers, and the parameters of handlers. */
const SSE = '__sse__';
const PARAMETERS = '__routeArguments__';

/** The kind of parameter that is the request; Nest runs no pipe on it. */
const REQUEST = '0';

type Handler = (this: unknown, ...args: unknown[]) => unknown;

interface Parameter {
  readonly index: number;
}

/** Handlers that already end with their session. */
const ENDING = new WeakSet<Handler>();

/**
 * Makes the streams of `@Sse()` handlers end with the session of their request. See
 * docs/decisions/0027-streams-end-by-their-handler.md.
 */
@Injectable()
export class StreamHandlers {
  readonly #logger = new Logger('SessionAuth');

  constructor(private readonly realms: RealmRegistry) {}

  /** Call it before Nest maps the routes, because Nest reads the handlers then. */
  prepare(routes: readonly MappedRoute[]): void {
    const unlinked = new Set<string>();
    for (const route of routes) {
      const { type, handler, name } = route;
      if (Reflect.getMetadata(SSE, handler) !== true) continue;
      const what = `${type.name}.${name}`;
      for (const realm of this.realms.namesOf(handler, type).names) {
        if (!this.realms.names.includes(realm)) continue;
        const sessions = this.realms.serviceOf({ realm }, LiveSessions);
        if (sessions.isPossible) {
          sessions.require(what);
          endWithSession(route);
        } else unlinked.add(what);
      }
    }
    if (unlinked.size === 0) return;
    const names = [...unlinked].join(', ');
    this.#logger.warn(`${names}: continues after its session has ended: set link: true in the storage to end it`);
  }
}

/**
 * Replaces a handler of a controller, for all applications of the process. The new handler does the same as the old one
 * if the request has no session of the library.
 */
function endWithSession({ type, name }: MappedRoute): void {
  const { prototype, original } = ownerOf(type.prototype as object, name);
  if (ENDING.has(original)) return;
  const parameters = (Reflect.getMetadata(PARAMETERS, prototype.constructor, name) ?? {}) as Record<string, Parameter>;
  const place = Math.max(0, ...Object.values(parameters).map(({ index }) => index + 1));
  const ending: Handler = function (...args) {
    const route = routeOf(args[place]);
    // a method of a derived class may have called it with other arguments
    if (route === undefined) return original.apply(this, args);
    const result = original.apply(this, args.slice(0, place));
    return isThenable(result) ? result.then((stream) => ended(stream, route)) : ended(result, route);
  };
  ENDING.add(ending);
  Object.defineProperty(ending, 'name', { value: original.name });
  for (const key of Reflect.getOwnMetadataKeys(original) as string[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), ending);
  }
  const request = { index: place, data: undefined, pipes: [] };
  Reflect.defineMetadata(PARAMETERS, { ...parameters, [`${REQUEST}:${place}`]: request }, prototype.constructor, name);
  Object.defineProperty(prototype, name, { ...Object.getOwnPropertyDescriptor(prototype, name), value: ending });
}

/** Returns the prototype that defines a method, and the method. */
function ownerOf(prototype: object, name: string): { readonly prototype: object; readonly original: Handler } {
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  if (own !== undefined) return { prototype, original: own.value as Handler };
  return ownerOf(Object.getPrototypeOf(prototype) as object, name);
}

function routeOf(request: unknown): HttpRouteSession | undefined {
  return typeof request === 'object' && request !== null ? boundTo(request) : undefined;
}

function ended(stream: unknown, route: HttpRouteSession): unknown {
  return isObservable(stream) ? untilSessionEnds(stream, route) : stream;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
