import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionEventPublisher } from '../events/event-publisher.js';
import type { LoginFailure } from '../events/session-event.js';
import { getRequestSession, type RequestSession } from '../http/request-session.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import type { SessionData } from '../session/session-record.js';
import type { Session } from '../session/session.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';
import type { RememberedLogin } from './remembered-login.js';
import { requireSession, requireUser } from './require-session.js';

/** What a user logs in with. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** How a login is to go on. */
export interface LoginOptions {
  /** Keep the device signed in beyond the session, by a remember-me token. @default false */
  readonly rememberMe?: boolean;
}

/** A login that succeeded. The token went into the response's cookie and is not here. */
export interface Login<User extends SessionUser = SessionUser> {
  readonly user: User;
  readonly session: Session;
}

/** The parts that {@link SessionAuthService} works with. */
export interface SessionAuthParts {
  readonly lifecycle: SessionLifecycleService;
  readonly passwords: PasswordHasher;
  /** Absent where the application configured no `users`. */
  readonly users: SessionUserProvider | undefined;
  /** Absent where remember-me is off. */
  readonly remembered: RememberedLogin | undefined;
  readonly events: SessionEventPublisher;
}

/**
 * Login, logout and re-authentication over HTTP: sessions and the cookies that stand for them.
 *
 * Each method takes the request as the handler has it (`@Req()`), of Express or Fastify, and writes cookies to that
 * request's response before the handler returns.
 */
export class SessionAuthService {
  readonly #logger = new Logger('SessionAuth');

  constructor(private readonly parts: SessionAuthParts) {}

  /** The live session of a request, or undefined. Read once a request. */
  async current(request: object): Promise<Session | undefined> {
    return getRequestSession(request).load();
  }

  /**
   * Checks e-mail and password and logs the user in. Unknown user, wrong password and disabled account are one and
   * the same to the client, in answer and in work (ASVS 6.3.8).
   *
   * @param options `rememberMe`: keep this device signed in beyond the session. A login without it forgets the device.
   * @throws SessionAuthError `invalid_credentials`, `password_too_long`, `session_limit_reached`, `not_configured`
   */
  async login(request: object, credentials: Credentials, options: LoginOptions = {}): Promise<Login> {
    const bound = getRequestSession(request);
    const user = (await this.#users().findByEmail(credentials.email)) ?? undefined;
    await this.#checkPassword(bound, user, credentials.password);
    return this.#signIn(bound, user!, 'password', options);
  }

  /**
   * Logs in a user whom the application has authenticated by its own means (single sign-on, a one-time code).
   *
   * The session's token is new in any case (ASVS 7.2.4). Over a live session of the same user it replaces the token
   * and keeps the data; over that of another user it ends that session; an anonymous session hands over its data.
   *
   * @throws SessionAuthError `session_limit_reached`, `invalid_credentials` for a disabled account
   */
  async loginUser<User extends SessionUser>(
    request: object,
    user: User,
    authentication: SessionAuthentication = 'custom',
    options: LoginOptions = {},
  ): Promise<Login<User>> {
    const bound = getRequestSession(request);
    if (user.disabled === true) this.#fail(bound, 'account_disabled', user);
    return this.#signIn(bound, user, authentication, options);
  }

  /**
   * Ends the request's session and takes the cookie from the client. Harmless without a session. One round trip: the
   * session is not read first.
   */
  async logout(request: object): Promise<void> {
    const bound = getRequestSession(request);
    const { lifecycle, remembered } = this.parts;
    const { token, exchange } = bound;
    await Promise.all([
      remembered?.forget(bound),
      token === undefined ? undefined : lifecycle.destroy(token, 'logout', exchange.client),
    ]);
    bound.clear();
    exchange.setHeader('clear-site-data', '"cookies", "storage"');
  }

  /**
   * Has the signed-in user prove again who they are: new token, the old one dead at once, `authenticatedAt` now. The
   * absolute deadline stays.
   *
   * @throws SessionAuthError `session_required`, `invalid_credentials`, `password_too_long`, `not_configured`
   */
  async reauthenticate(request: object, proof: { readonly password: string }): Promise<Login> {
    const bound = getRequestSession(request);
    const session = requireSession(await bound.load());
    const user = requireUser(await bound.loadUser());
    await this.#checkPassword(bound, user, proof.password);
    const { client } = bound.exchange;
    const issued = await this.parts.lifecycle.reauthenticated(session, {
      user,
      authentication: 'password',
      client,
      fingerprint: bound.fingerprint,
    });
    if (issued === undefined) throw new SessionAuthError('session_required', 'sign in first');
    bound.replace(issued);
    return { user, session: issued.session };
  }

  /**
   * The request's session; where there is none, a new anonymous one with a cookie. Never made without a call like this
   * (ASVS 7.6.2): a visitor who does nothing gets no session.
   *
   * @param data for a new session
   */
  async ensureSession(request: object, data?: SessionData): Promise<Session> {
    const bound = getRequestSession(request);
    const present = await bound.load();
    if (present !== undefined) return present;
    const { fingerprint, exchange } = bound;
    const issued = await this.parts.lifecycle.create({ client: exchange.client, fingerprint, data });
    bound.replace(issued);
    return issued.session;
  }

  /**
   * Gives the request's session a new token and cookie. With `grace` (default `lifetime.rotationGrace`) the old one
   * still works for requests in flight; 0 ends it at once, for gains of privilege of the application's own.
   *
   * @throws SessionAuthError `session_required` without a session
   */
  async rotate(request: object, options: { readonly grace?: number } = {}): Promise<void> {
    const bound = getRequestSession(request);
    const session = await bound.load();
    if (session === undefined) throw new SessionAuthError('session_required', 'there is no session to rotate');
    const issued = await this.parts.lifecycle.rotate(session, { ...options, client: bound.exchange.client });
    if (issued !== undefined) bound.replace(issued);
  }

  async #signIn<User extends SessionUser>(
    bound: RequestSession,
    user: User,
    authentication: SessionAuthentication,
    options: LoginOptions,
  ): Promise<Login<User>> {
    const login = await this.#establish(bound, user, authentication);
    const { remembered } = this.parts;
    if (options.rememberMe === true) await remembered?.remember(bound, String(user.id), login.session.id);
    else await remembered?.forget(bound);
    return login;
  }

  async #establish<User extends SessionUser>(
    bound: RequestSession,
    user: User,
    authentication: SessionAuthentication,
  ): Promise<Login<User>> {
    const { lifecycle } = this.parts;
    const { client } = bound.exchange;
    const previous = await bound.loadLive();
    if (previous?.userId === String(user.id)) {
      const renewed = await this.#renew(previous, user, authentication, bound);
      if (renewed !== undefined) return renewed;
    }
    const data = previous !== undefined && previous.userId === undefined ? previous.data : undefined;
    const { fingerprint } = bound;
    const issued = await lifecycle.create({ user, authentication, client, fingerprint, data });
    if (previous !== undefined) {
      try {
        await lifecycle.destroySession(previous, 'replaced', client);
      } catch (error) {
        // the login failed as a whole: what it made must not stay behind unseen
        await lifecycle.destroySession(issued.session, 'replaced', client).catch(() => undefined);
        throw error;
      }
    }
    bound.replace(issued);
    return { user, session: issued.session };
  }

  /** The session of a renewed login; undefined when it ended or was replaced while the password was checked. */
  async #renew<User extends SessionUser>(
    session: Session,
    user: User,
    authentication: SessionAuthentication,
    bound: RequestSession,
  ): Promise<Login<User> | undefined> {
    try {
      const { fingerprint, exchange } = bound;
      const { client } = exchange;
      const issued = await this.parts.lifecycle.renew(session, { user, authentication, client, fingerprint });
      if (issued === undefined) return undefined;
      bound.replace(issued);
      return { user, session: issued.session };
    } catch (error) {
      if (error instanceof SessionAuthError && error.code === 'session_required') return undefined;
      throw error;
    }
  }

  async #checkPassword(bound: RequestSession, user: SessionUser | undefined, password: string): Promise<void> {
    const { passwords } = this.parts;
    const matches = await passwords.verify(password, user?.passwordHash ?? undefined);
    if (user === undefined) this.#fail(bound, 'unknown_user');
    if (!matches) this.#fail(bound, 'wrong_password', user);
    if (user.disabled === true) this.#fail(bound, 'account_disabled', user);
    if (passwords.needsRehash(user.passwordHash!)) await this.#rehash(user, password);
  }

  #fail(bound: RequestSession, reason: LoginFailure, user?: SessionUser): never {
    const userId = user === undefined ? undefined : String(user.id);
    this.parts.events.publish({ type: 'login.failed', reason, userId, client: bound.exchange.client });
    throw new SessionAuthError('invalid_credentials', 'e-mail or password is wrong');
  }

  /** The cost was raised since the hash was made. The user is let in whether or not the new hash can be kept. */
  async #rehash(user: SessionUser, password: string): Promise<void> {
    const users = this.#users();
    if (users.savePasswordHash === undefined) return;
    try {
      await users.savePasswordHash(String(user.id), await this.parts.passwords.hash(password));
    } catch (error) {
      this.#logger.error('a password could not be rehashed', error instanceof Error ? error.stack : String(error));
    }
  }

  #users(): SessionUserProvider {
    const { users } = this.parts;
    if (users === undefined) {
      throw new SessionAuthError(
        'not_configured',
        'SessionAuthModule was given no users provider: set the option users',
      );
    }
    return users;
  }
}
