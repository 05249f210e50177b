import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { isRealmName, REALM_NAME_RULE } from './realm-name.js';

/** The metadata key of {@link Realm}: of a class and its handler, the handler's word counts. */
export const ROUTE_REALMS = 'nestjs-session-auth:realms';

/**
 * The realm of a handler or controller: whose session its guards ask for and its decorators give, whose CSRF tokens it
 * takes. Without it, a route is of the default realm. On a handler and its controller, the handler's word counts.
 *
 * Of several realms, the first counts that has a live session of a user, then the first that has an anonymous one, then
 * the first whose remembered device can be signed in: `session.realm` tells. A request without any of them is one of
 * the first realm.
 *
 * @throws SessionAuthError `invalid_configuration` at once for what is no name of a realm; at boot for a realm that no
 *   module makes
 */
export function Realm(...realms: readonly [string, ...string[]]): CustomDecorator {
  const isUsable = realms.length > 0 && realms.every(isRealmName) && new Set(realms).size === realms.length;
  if (!isUsable) {
    throw new SessionAuthError(
      'invalid_configuration',
      `@Realm(${JSON.stringify(realms).slice(1, -1)}): allowed are names of realms that differ, each ${REALM_NAME_RULE}`,
    );
  }
  return SetMetadata(ROUTE_REALMS, realms);
}
