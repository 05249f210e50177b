import { Injectable, Optional } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { getRequestSession } from '../http/request-session.js';
import { requireUser } from '../session/session-required.js';
import { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import type { SessionData } from '../session/session-record.js';
import { requireSession, type Session } from '../session/session.js';
import type { ClientInfo } from '../users/client-info.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import { SessionUserProvider, type SessionUser } from '../users/session-user-provider.js';
import { AccountChanges } from './account-changes.js';
import { CredentialCheck } from './credential-check.js';
import { RememberedLogin } from './remembered-login.js';
import { SignIn, type Login, type LoginOptions, type LoginUserOptions } from './sign-in.js';

/** What a user logs in with. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/**
 * Login, logout and re-authentication over HTTP: sessions and the cookies that stand for them.
 *
 * Each method takes the request as the handler has it (`@Req()`), of Express or Fastify, and writes cookies to that
 * request's response before the handler returns.
 */
@Injectable()
export class SessionAuthService {
  constructor(
    private readonly lifecycle: SessionLifecycleService,
    private readonly credentials: CredentialCheck,
    private readonly signIn: SignIn,
    private readonly accountChanges: AccountChanges,
    private readonly remembered: RememberedLogin,
    @Optional() private readonly users?: SessionUserProvider,
  ) {}

  /** The live session of a request, or undefined. Read once a request. */
  async current(request: object): Promise<Session | undefined> {
    return getRequestSession(request).load();
  }

  /**
   * Checks e-mail and password and logs the user in. Unknown user, wrong password and disabled account are one and
   * the same to the client, in answer and in work (ASVS 6.3.8).
   *
   * @param options `rememberMe`: keep this device signed in beyond the session. A login without it forgets the device.
   * @throws SessionAuthError `invalid_credentials`, `too_many_attempts`, `password_too_long`, `session_limit_reached`,
   *   `not_configured`
   */
  async login(request: object, { email, password }: Credentials, options: LoginOptions = {}): Promise<Login> {
    const requestSession = getRequestSession(request);
    const users = this.#requireUsers();
    const user = await this.credentials.userOf(requestSession, email, () => users.findByEmail(email), password);
    const login = await this.signIn.signIn(requestSession, user, 'password', options, email);
    return this.signIn.settle(requestSession, login, password, users);
  }

  /**
   * Logs in a user whom the application has authenticated by its own means (single sign-on, a one-time code).
   *
   * The session's token is new in any case (ASVS 7.2.4). Over a live session of the same user it replaces the token
   * and keeps the data; over that of another user it ends that session; an anonymous session hands over its data.
   *
   * @throws SessionAuthError `session_limit_reached`, `invalid_credentials` for a disabled account,
   *   `invalid_configuration` for an `authenticatedAt` that is no time, or a nameless `upstream`
   */
  async loginUser<User extends SessionUser>(
    request: object,
    user: User,
    authentication: SessionAuthentication = 'custom',
    options: LoginUserOptions = {},
  ): Promise<Login<User>> {
    const requestSession = getRequestSession(request);
    if (user.disabled === true) this.credentials.fail(requestSession, 'account_disabled', user);
    return this.signIn.signIn(requestSession, user, authentication, options);
  }

  /**
   * Ends the request's session and takes the cookie from the client. Harmless without a session. One round trip: the
   * session is not read first.
   */
  async logout(request: object): Promise<void> {
    const requestSession = getRequestSession(request);
    const { lifecycle, remembered } = this;
    const { token, exchange } = requestSession;
    await Promise.all([
      remembered.forget(requestSession),
      token === undefined ? undefined : lifecycle.destroy(token, 'logout', exchange.client),
    ]);
    requestSession.clear();
    exchange.setHeader('clear-site-data', '"cookies", "storage"');
  }

  /**
   * Has the signed-in user prove again who they are: new token, the old one dead at once, `authenticatedAt` now. The
   * absolute deadline stays.
   *
   * Wrong passwords count like those of a login.
   *
   * @throws SessionAuthError `session_required`, `invalid_credentials`, `too_many_attempts`, `password_too_long`,
   *   `not_configured`
   */
  async reauthenticate(request: object, proof: { readonly password: string }): Promise<Login> {
    const requestSession = getRequestSession(request);
    const session = requireSession(await requestSession.load());
    const user = requireUser(await requestSession.loadUser());
    const loginName = user.email ?? String(user.id);
    await this.credentials.userOf(requestSession, loginName, () => Promise.resolve(user), proof.password);
    const { client } = requestSession.exchange;
    const issued = await this.lifecycle.reauthenticated(session, {
      user,
      authentication: 'password',
      client,
      fingerprint: requestSession.fingerprint,
    });
    if (issued === undefined) throw new SessionAuthError('session_required', 'sign in first');
    requestSession.replace(issued);
    return this.signIn.settle(requestSession, { user, session: issued.session }, proof.password, this.#requireUsers());
  }

  /**
   * To be called after the application has verified a further factor of the signed-in user (a one-time code, a
   * passkey): the session has it from now on, for {@link RequireFactor}. New token, the old one dead at once, with its
   * CSRF tokens (ASVS 7.2.4); all deadlines stay. Proved again, a factor has the new time.
   *
   * It is the session's: a login starts without any, also one over a live session and one by remember-me.
   * Re-authentication leaves them as they are. Of several calls at the same time for one session one succeeds, and
   * the others are refused.
   *
   * @param factor its name, such as `'totp'`: 1 to 32 of a-z, 0-9, _ and -. At most eight a session.
   * @throws SessionAuthError `session_required` without a session of a user, and when the session has ended or another
   *   request has replaced its token meanwhile; `invalid_configuration` for what is no name of a factor, and for a ninth
   */
  async factorCompleted(request: object, factor: string): Promise<Session> {
    const requestSession = getRequestSession(request);
    const session = requireSession(await requestSession.load());
    const issued = await this.lifecycle.factorCompleted(session, factor, requestSession.exchange.client);
    if (issued === undefined) throw new SessionAuthError('session_required', 'the session was replaced meanwhile');
    requestSession.replace(issued);
    return issued.session;
  }

  /**
   * The request's session; where there is none, a new anonymous one with a cookie. Never made without a call like this
   * (ASVS 7.6.2): a visitor who does nothing gets no session.
   *
   * @param data for a new session
   */
  async ensureSession(request: object, data?: SessionData): Promise<Session> {
    const requestSession = getRequestSession(request);
    const present = await requestSession.load();
    if (present !== undefined) return present;
    const { fingerprint, exchange } = requestSession;
    const issued = await this.lifecycle.create({ client: exchange.client, fingerprint, data });
    requestSession.replace(issued);
    return issued.session;
  }

  /**
   * Gives the request's session a new token and cookie. With `grace` (default `lifetime.rotationGrace`) the old one
   * still works for requests in flight; 0 ends it at once, for gains of privilege of the application's own.
   *
   * @throws SessionAuthError `session_required` without a session
   */
  async rotate(request: object, options: { readonly grace?: number } = {}): Promise<void> {
    const requestSession = getRequestSession(request);
    const session = await requestSession.load();
    if (session === undefined) throw new SessionAuthError('session_required', 'there is no session to rotate');
    const issued = await this.lifecycle.rotate(session, { ...options, client: requestSession.exchange.client });
    if (issued !== undefined) requestSession.replace(issued);
  }

  /**
   * To be called after a user's password, or whatever else they log in with, has changed (ASVS 7.4.3): all their
   * sessions and remembered devices end. The session of the request `keep`, if it is that user's, goes on with a new
   * token, the old one dead at once. Answers how many sessions ended.
   *
   * A login with the old password that is under way ends as well: it looks the account up again after its session is
   * made. So save the new password first, then call this.
   *
   * @param options `keep`: the request (`@Req()`) whose session goes on; without it all of them end
   * @throws SessionAuthError `session_required` when the session to keep has been replaced by another request
   */
  async credentialsChanged(
    userId: string | number,
    options: { readonly keep?: object } = {},
  ): Promise<{ readonly revokedSessions: number }> {
    return this.accountChanges.credentialsChanged(String(userId), options.keep);
  }

  /**
   * To be called after an account was disabled or deleted (ASVS 7.4.2): all its sessions and remembered devices end.
   * Answers how many sessions did. Save that it is disabled first, then call this.
   */
  async accountDisabled(userId: string | number, client?: ClientInfo): Promise<{ readonly revokedSessions: number }> {
    return this.accountChanges.accountDisabled(String(userId), client);
  }

  /**
   * To be called after a user's roles have changed: all their live sessions carry the new ones from now on, and each
   * gets a new token on its next request. Answers how many. Save the roles first, then call this.
   */
  async rolesChanged(userId: string | number, roles: readonly string[]): Promise<{ readonly sessions: number }> {
    return { sessions: await this.lifecycle.updateUser(String(userId), { roles }) };
  }

  #requireUsers(): SessionUserProvider {
    if (this.users === undefined) {
      throw new SessionAuthError(
        'not_configured',
        'SessionAuthModule was given no users provider: set the option users',
      );
    }
    return this.users;
  }
}
