import type { User } from '../quick-start/users.service.js';

/** A login according to an ID token. */
export interface ProviderLogin {
  readonly user: User;
  /** `sid`: the session at the provider. Some providers do not send it. */
  readonly sid?: string;
  /** `auth_time` as a date: the user's latest authentication at the provider. */
  readonly authenticatedAt?: Date;
}

/** The sessions that end according to a logout token. */
export interface ProviderLogout {
  readonly userId: string;
  /** If absent: all sessions that began with this provider. */
  readonly sid?: string;
}

/** Authenticates users: an OpenID Connect client, SAML, LDAP, a passport strategy. */
export abstract class IdentityProvider {
  /** Checks signature, `state` and `nonce` of the provider's response, and returns the login. */
  abstract loginOf(answer: Readonly<Record<string, string>>): Promise<ProviderLogin | undefined>;

  /** Checks a logout token: its signature, `iss`, `aud`, `exp`, `events`, and that its `jti` is new. */
  abstract logoutOf(logoutToken: string): Promise<ProviderLogout | undefined>;
}
