import { Injectable, Optional } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { RealmRegistry } from '../http/realm-registry.js';
import type { RequestSession } from '../http/request-session.js';
import { RequestSessionFactory } from '../http/request-session-factory.js';
import { requireUser } from '../session/session-required.js';
import { digestOf, handleOf } from '../crypto/session-token.js';
import { SessionChanges } from '../session/session-changes.js';
import type { SessionData } from '../session/session-record.js';
import { SessionRotation } from '../session/session-rotation.js';
import { requireSession, type Session } from '../session/session.js';
import { UserSessions } from '../session/user-sessions.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import { SessionUserProvider, type SessionUser, type SessionUserId } from '../users/session-user-provider.js';
import { checkAccount, checkedUser, findUser, findUserByEmail, userIdOf } from '../users/valid-user.js';
import { AccountChanges } from './account-changes.js';
import { CredentialCheck } from './credential-check.js';
import { SignIn, type Login, type LoginOptions, type LoginUserOptions } from './sign-in.js';

/** The input of a login. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/**
 * Login, logout and re-authentication over HTTP: sessions and their cookies.
 *
 * Each method takes the request of the handler (`@Req()`), of Express or Fastify, and writes cookies to that request's
 * response before the handler returns. If the head of the response has already been written, methods that must write a
 * cookie throw `response_already_sent` and change nothing. An invalid user or id, as an argument or from `users`, is
 * refused with `invalid_user`.
 */
@Injectable()
export class SessionAuthService {
  constructor(
    private readonly realms: RealmRegistry,
    private readonly requestSessions: RequestSessionFactory,
    private readonly changes: SessionChanges,
    private readonly rotation: SessionRotation,
    private readonly ofUsers: UserSessions,
    private readonly credentials: CredentialCheck,
    private readonly signIn: SignIn,
    private readonly accountChanges: AccountChanges,
    @Optional() private readonly users?: SessionUserProvider,
  ) {}

  /**
   * Returns the live session of a request, or undefined. Reads it once for each request. For an open connection, pass
   * the request that opened it or the client of a gateway: the result is the session's present state.
   */
  async current(request: object): Promise<Session | undefined> {
    return this.requestSessions.load(request);
  }

  /**
   * Whether a proof of identity (a login, {@link reauthenticate}, {@link credentialsChanged}) replaced the request's
   * token less than `lifetime.rotationGrace` ago: a form was sent twice, and this is the second request. It has no
   * session. Only `login` and `reauthenticate` accept its token, with a password that verifies now.
   */
  async isRepeated(request: object): Promise<boolean> {
    return (await this.requestSessions.get(request).loadRenewable()) !== undefined;
  }

  /**
   * Checks e-mail and password and logs the user in. Unknown user, wrong password and disabled account look the same to
   * the client, in the response and in the work (ASVS 6.3.8).
   *
   * @param options `rememberMe`: keep this device signed in beyond the session. A login without it forgets the device.
   * @throws SessionAuthError `invalid_credentials`, `too_many_attempts`, `server_busy`, `password_too_long`,
   *   `session_limit_reached`, `not_configured`
   */
  async login(request: object, { email, password }: Credentials, options: LoginOptions = {}): Promise<Login> {
    const requestSession = this.#unsent(request);
    const users = this.#requireUsers();
    const find = (): Promise<SessionUser | undefined> => findUserByEmail(users, email);
    const { user, newDevice } = await this.credentials.userOf(requestSession, email, find, password);
    const login = await this.signIn.signIn(requestSession, user, 'password', options, newDevice);
    return this.signIn.settle(requestSession, login, [password], users);
  }

  /**
   * Logs in a user whom the application has authenticated by its own means (single sign-on, a one-time code).
   *
   * The session always gets a new token (ASVS 7.2.4). A live session of the same user keeps its data; a session of
   * another user ends; an anonymous session passes its data to the new one. With `keepData: false` no data is kept.
   *
   * @throws SessionAuthError `session_limit_reached`, `invalid_credentials` for a disabled account, `session_required`
   *   when the session has ended before its device was remembered, `invalid_configuration` for an `authenticatedAt`
   *   that is not a time, or an `upstream` without an id
   */
  async loginUser<User extends SessionUser>(
    request: object,
    user: User,
    authentication: SessionAuthentication = 'custom',
    options: LoginUserOptions = {},
  ): Promise<Login<User>> {
    const requestSession = this.#unsent(request);
    checkedUser(user);
    if (user.disabled === true) this.credentials.fail(requestSession, 'account_disabled', user);
    const newDevice = await this.credentials.isNewDevice(requestSession, user);
    const login = await this.signIn.signIn(requestSession, user, authentication, options, newDevice);
    if (options.rememberMe === true) await this.signIn.settleDevice(requestSession, login);
    return login;
  }

  /**
   * Ends the request's session and clears the cookie. Does nothing without a session. Any token of the session works,
   * even a replaced one. One round trip: the session is not read first.
   */
  async logout(request: object): Promise<void> {
    const requestSession = this.#unsent(request);
    const { token, exchange } = requestSession;
    await Promise.all([
      requestSession.forgetDevice({ reason: 'logout', exceptSessionId: token && handleOf(token) }),
      token === undefined ? undefined : this.changes.destroy(digestOf(token), 'logout', exchange.client),
    ]);
    requestSession.clear();
    // the header would clear the cookies and the data of all realms
    if (this.realms.areSeveral) requestSession.responseCookies.clearOthers();
    else exchange.setHeader('clear-site-data', '"cookies", "storage"');
  }

  /**
   * Lets the signed-in user prove their identity again. The session gets a new token and `authenticatedAt` of now, and
   * the old token stops working at once. The absolute deadline stays.
   *
   * Wrong passwords count like those of a login. A form that was sent twice gets two responses, each with a working
   * token: the second request comes with the token that the first one has replaced, which is accepted only here
   * ({@link isRepeated}). So the route must not have a guard that requires a session.
   *
   * @param proof `newPassword`: the password that the form is about to set. Another request of the same form may have
   *   set it already, and then the old password is no longer valid.
   * @throws SessionAuthError `session_required`, `invalid_credentials`, `too_many_attempts`, `server_busy`,
   *   `password_too_long`, `not_configured`
   */
  async reauthenticate(
    request: object,
    proof: { readonly password: string; readonly newPassword?: string },
  ): Promise<Login> {
    const requestSession = this.#unsent(request);
    const users = this.#requireUsers();
    const session = requireSession((await requestSession.load()) ?? (await requestSession.loadRenewable()));
    const user = requireUser((await requestSession.loadUser()) ?? (await findUser(users, session.userId)));
    const loginName = user.email ?? userIdOf(user.id);
    await this.credentials.userOf(requestSession, loginName, () => Promise.resolve(user), proof.password);
    const { client } = requestSession.exchange;
    const issued = await this.rotation.reauthenticated(session, {
      user,
      authentication: 'password',
      client,
      fingerprint: requestSession.fingerprint,
    });
    if (issued === undefined) throw new SessionAuthError('session_required', 'sign in first');
    requestSession.replace(issued);
    const passwords = [proof.password, ...(proof.newPassword === undefined ? [] : [proof.newPassword])];
    return this.signIn.settle(requestSession, { user, session: issued.session }, passwords, users);
  }

  /**
   * Call it after the application has verified a further factor of the signed-in user (a one-time code, a passkey). The
   * session has the factor from now on, for {@link RequireFactor}. The session gets a new token, and the old one stops
   * working at once, with its CSRF tokens (ASVS 7.2.4). All deadlines stay. Proving a factor again updates its time.
   *
   * The factor belongs to the session. A login starts without factors, also one over a live session and one by
   * remember-me. Re-authentication keeps them. Of several calls at the same time for one session one succeeds, and the
   * others are refused.
   *
   * @param factor its name, such as `'totp'`: 1 to 32 of a-z, 0-9, _ and -. At most eight in one session.
   * @throws SessionAuthError `session_required` without a session of a user, and when the session has ended or another
   *   request has replaced its token meanwhile; `invalid_configuration` for an invalid name of a factor, and for a
   *   ninth factor
   */
  async factorCompleted(request: object, factor: string): Promise<Session> {
    const requestSession = this.#unsent(request);
    const session = requireSession(await requestSession.load());
    const issued = await this.rotation.factorCompleted(session, factor, requestSession.exchange.client);
    if (issued === undefined) throw new SessionAuthError('session_required', 'another request replaced the session');
    requestSession.replace(issued);
    return issued.session;
  }

  /**
   * Returns the request's session, or makes a new anonymous one with a cookie. Only a call like this makes one (ASVS
   * 7.6.2): a visitor who does nothing gets no session.
   *
   * @param data for a new session
   */
  async ensureSession(request: object, data?: SessionData): Promise<Session> {
    const requestSession = this.requestSessions.get(request);
    const present = await requestSession.loadOrSignIn();
    if (present !== undefined) return present;
    requestSession.requireUnsent();
    const { fingerprint, exchange } = requestSession;
    const issued = await this.changes.create({ client: exchange.client, fingerprint, data });
    requestSession.replace(issued);
    return issued.session;
  }

  /**
   * Gives the request's session a new token and cookie. The old one works until the new one is used, and for `grace`
   * (default `lifetime.rotationGrace`) after that, for requests in flight. With 0 it stops at once, for the
   * application's own gains of privilege.
   *
   * @throws SessionAuthError `session_required` without a session
   */
  async rotate(request: object, options: { readonly grace?: number } = {}): Promise<void> {
    const requestSession = this.#unsent(request);
    const session = await requestSession.load();
    if (session === undefined)
      throw new SessionAuthError('session_required', 'sign in first: without a session, there is nothing to rotate');
    const until = options.grace === 0 ? undefined : requestSession.latestHead();
    const issued = await this.rotation.rotate(session, { ...options, client: requestSession.exchange.client });
    if (issued !== undefined) requestSession.replace(issued, until);
  }

  /**
   * Call it after a user's password or another credential has changed (ASVS 7.4.3). All their sessions and remembered
   * devices end, and no device counts as known any more. If the session of the request `keep` belongs to that user, it
   * continues with a new token, and the old token stops working at once. Returns how many sessions ended.
   *
   * A login with the old password that is under way ends as well, because it looks the account up again after its
   * session is made. So save the new password first, then call this.
   *
   * @param options `keep`: the request (`@Req()`) whose session continues; without it all of them end
   * @throws SessionAuthError `session_required` when another request has replaced the token of the session to keep
   */
  async credentialsChanged(
    userId: SessionUserId,
    options: { readonly keep?: object } = {},
  ): Promise<{ readonly revokedSessions: number }> {
    return this.accountChanges.credentialsChanged(userIdOf(userId), options.keep);
  }

  /**
   * Call it after an account was disabled or deleted (ASVS 7.4.2). All its sessions and remembered devices end. Returns
   * how many sessions ended. Save the change first, then call this.
   */
  async accountDisabled(userId: SessionUserId, client?: ClientInfo): Promise<{ readonly revokedSessions: number }> {
    return this.accountChanges.accountDisabled(userIdOf(userId), client);
  }

  /**
   * Call it after a user's roles have changed. All their live sessions have the new roles from now on, and each gets a
   * new token on its next request. Returns how many changed. Save the roles first, then call this.
   */
  async rolesChanged(userId: SessionUserId, roles: readonly string[]): Promise<{ readonly sessions: number }> {
    checkAccount({ roles });
    return { sessions: await this.ofUsers.update(userIdOf(userId), { roles }) };
  }

  /** @throws SessionAuthError `response_already_sent` */
  #unsent(request: object): RequestSession {
    const requestSession = this.requestSessions.get(request);
    requestSession.requireUnsent();
    return requestSession;
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
