import { Inject, type Abstract, type InjectionToken, type Type } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { DEFAULT_REALM, isRealmName, REALM_NAME_RULE } from './realm-name.js';

const tokens = new Map<InjectionToken, Map<string, symbol>>();

/**
 * The token under which a realm provides a service, a store or a part of a guard:
 * `app.get(realmToken('staff', SessionAuthService))`. In the default realm it is the class itself.
 *
 * @throws SessionAuthError `invalid_configuration` for an invalid name of a realm
 */
export function realmToken<T>(realm: string, token: Type<T> | Abstract<T> | InjectionToken<T>): InjectionToken<T> {
  if (realm === DEFAULT_REALM) return token;
  if (!isRealmName(realm)) {
    throw new SessionAuthError(
      'invalid_configuration',
      `realmToken: given ${JSON.stringify(realm)}; allowed is the name of a realm, ${REALM_NAME_RULE}`,
    );
  }
  const ofToken = tokens.get(token) ?? new Map<string, symbol>();
  tokens.set(token, ofToken);
  const ofRealm = ofToken.get(realm) ?? Symbol(`${nameOf(token)} of realm '${realm}'`);
  ofToken.set(realm, ofRealm);
  return ofRealm;
}

/**
 * Injects a service of a realm: `constructor(@InjectRealm('staff', SessionAuthService) auth: SessionAuthService)`. The
 * service acts for its realm only, on every route.
 *
 * @throws SessionAuthError `invalid_configuration` at once for an invalid name of a realm
 */
export function InjectRealm(
  realm: string,
  token: Type | Abstract<unknown> | InjectionToken,
): PropertyDecorator & ParameterDecorator {
  return Inject(realmToken(realm, token));
}

function nameOf(token: InjectionToken): string {
  if (typeof token === 'function') return token.name;
  return typeof token === 'symbol' ? (token.description ?? '') : String(token);
}
