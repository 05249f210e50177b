import type { User } from '../quick-start/users.service.js';

/** What an ID token says of a login. */
export interface ProviderLogin {
  readonly user: User;
  /** `sid`: the session at the provider. Not every provider tells it. */
  readonly sid?: string;
  /** `auth_time`, of seconds made a date: when the user last proved there who they are. */
  readonly authenticatedAt?: Date;
}

/** What a logout token says: whose sessions end, and which. */
export interface ProviderLogout {
  readonly userId: string;
  /** Absent: all that came of this provider. */
  readonly sid?: string;
}

/** Whoever tells you who somebody is: an OpenID Connect client, SAML, LDAP, a passport strategy. */
export abstract class IdentityProvider {
  /** The login of who comes back with this answer, after its signature, `state` and `nonce` were checked. */
  abstract loginOf(answer: Readonly<Record<string, string>>): Promise<ProviderLogin | undefined>;

  /**
   * What a logout token ends, after its signature, `iss`, `aud`, `exp`, `events`, and that its `jti` is new were
   * checked.
   */
  abstract logoutOf(logoutToken: string): Promise<ProviderLogout | undefined>;
}
