import 'reflect-metadata';
import { Controller, Inject, VERSION_NEUTRAL, type InjectionToken, type Type } from '@nestjs/common';
import { Realm } from '../realms/realm.decorator.js';
import { ENDPOINT_NAMES, type EndpointName, type EndpointsSettings } from './endpoints.options.js';
import { SessionAuthController } from './session-auth.controller.js';

type Handler = (...args: never[]) => unknown;

/**
 * The controller class that serves the endpoints of a realm.
 *
 * @param dependencies what it is given, in the order of the constructor
 */
export function sessionAuthControllerAt(
  { path, except }: Pick<EndpointsSettings, 'path' | 'except'>,
  realm: string,
  dependencies: readonly InjectionToken[],
): Type<SessionAuthController> {
  @Realm(realm)
  @Controller({ path, version: VERSION_NEUTRAL })
  class MountedSessionAuthController extends SessionAuthController {}
  for (const [place, token] of dependencies.entries()) Inject(token)(MountedSessionAuthController, undefined, place);
  const handlers: Readonly<Record<EndpointName, Handler>> = SessionAuthController.prototype;
  for (const name of ENDPOINT_NAMES) {
    // what is no function hides the inherited handler from Nest
    const value = except.includes(name) ? undefined : copyOf(handlers[name]);
    Object.defineProperty(MountedSessionAuthController.prototype, name, { value, writable: true, configurable: true });
  }
  return MountedSessionAuthController;
}

/** The same handler with metadata of its own: OpenAPI's decorators write to it what is true of one realm only. */
function copyOf(handler: Handler): Handler {
  const copy: Handler = function (this: unknown, ...args) {
    return Reflect.apply(handler, this, args);
  };
  for (const key of Reflect.getMetadataKeys(handler) as string[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), copy);
  }
  return copy;
}
