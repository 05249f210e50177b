import type { User } from '../quick-start/users.service.js';

/** Whoever tells you who somebody is: an OpenID Connect client, SAML, LDAP, a passport strategy. */
export abstract class IdentityProvider {
  /** The account of who comes back with this answer, after its signature, `state` and `nonce` were checked. */
  abstract userOf(answer: Readonly<Record<string, string>>): Promise<User | undefined>;
}
