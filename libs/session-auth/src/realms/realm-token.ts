import { Inject, type Abstract, type InjectionToken, type Type } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { DEFAULT_REALM, isRealmName, REALM_NAME_RULE } from './realm-name.js';

const tokens = new Map<InjectionToken, Map<string, symbol>>();

/**
 * The token under which a realm has one of the library's services, stores or guards' services:
 * `app.get(realmToken('staff', SessionAuthService))`. That of the default realm is the class itself.
 *
 * @throws SessionAuthError `invalid_configuration` for what is no name of a realm
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
 * Injects a service of a realm: `constructor(@InjectRealm('staff', SessionAuthService) auth: SessionAuthService)`. It
 * acts for its realm only, on whatever route it is called.
 *
 * @throws SessionAuthError `invalid_configuration` at once for what is no name of a realm
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
