import 'reflect-metadata';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { Handshake } from '../connections/handshake.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { handlersOf, typesOf } from '../http/declared-handlers.js';

/** Where Nest keeps the metadata of gateways and of their message handlers. */
const GATEWAY = 'websockets:is_gateway';
const MESSAGE = 'websockets:message_mapping';

/**
 * Refuses gateways with a handler of a realm whose session no connection has.
 *
 * @throws SessionAuthError `invalid_configuration`
 */
export function checkGateways(app: INestApplicationContext, { settings, realms }: Handshake): void {
  for (const type of gatewaysOf(app)) {
    for (const { name, handler } of handlersOf(type, MESSAGE)) {
      const { names, isNamed } = realms.namesOf(handler, type);
      const foreign = names.find((realm) => !settings.realms.includes(realm));
      if (!isNamed || foreign === undefined) continue;
      throw new SessionAuthError(
        'invalid_configuration',
        `withSessions: realm: given '${settings.realms.join("', '")}'; ${type.name}.${name} is of realm '${foreign}', ` +
          'but connections have no session of that realm: add it to the option realm',
      );
    }
  }
}

function gatewaysOf(app: INestApplicationContext): readonly Type[] {
  const providers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.providers.values()]);
  return typesOf(providers).filter((type) => Reflect.hasMetadata(GATEWAY, type));
}
