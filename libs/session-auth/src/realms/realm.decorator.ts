import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { isRealmName, REALM_NAME_RULE } from './realm-name.js';

/** The metadata key of {@link Realm}. The handler overrides its controller. */
export const ROUTE_REALMS = 'nestjs-session-auth:realms';

/**
 * Sets the realm of a handler or controller: the realm whose session its guards require, whose session its decorators
 * inject, and whose CSRF tokens it accepts. Without it, a route belongs to the default realm. The handler overrides its
 * controller.
 *
 * With several realms, the first one with a live session of a user is used, then the first one with an anonymous
 * session, then the first one whose remembered device can be signed in. `session.realm` says which. Without any of
 * them, the request belongs to the first realm.
 *
 * @throws SessionAuthError `invalid_configuration` at once for an invalid name of a realm; at boot for a realm that no
 *   module makes
 */
export function Realm(...realms: readonly [string, ...string[]]): CustomDecorator {
  const isUsable = realms.length > 0 && realms.every(isRealmName) && new Set(realms).size === realms.length;
  if (!isUsable) {
    throw new SessionAuthError(
      'invalid_configuration',
      `@Realm(${JSON.stringify(realms).slice(1, -1)}): allowed are different names of realms, each ${REALM_NAME_RULE}`,
    );
  }
  return SetMetadata(ROUTE_REALMS, realms);
}
