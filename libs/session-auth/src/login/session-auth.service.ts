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

/** What a user logs in with. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/**
 * Login, logout and re-authentication over HTTP: sessions and the cookies that stand for them.
 *
 * Each method takes the request as the handler has it (`@Req()`), of Express or Fastify, and writes cookies to that
 * request's response before the handler returns. Where the head of the response has been written already, those that
 * have to write a cookie throw `response_already_sent` and change nothing. A user or an id that no account can have,
 * given or returned by `users`, is refused with `invalid_user`.
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
   * The live session of a request, or undefined. Read once a request. Of an open connection, it is the session as it is
   * at the moment: by the request that opened it, or by the client of a gateway.
   */
  async current(request: object): Promise<Session | undefined> {
    return this.requestSessions.load(request);
  }

  /**
   * Whether the request's token was replaced a moment ago by a proof of who the user is (a login, {@link
   * reauthenticate}, {@link credentialsChanged}), less than `lifetime.rotationGrace` before: a form was sent twice, and
   * this is the second one. It has no session. `login` and `reauthenticate` accept it with a password that verifies
   * now, and nothing else does.
   */
  async isRepeated(request: object): Promise<boolean> {
    return (await this.requestSessions.get(request).loadRenewable()) !== undefined;
  }

  /**
   * Checks e-mail and password and logs the user in. Unknown user, wrong password and disabled account are one and
   * the same to the client, in answer and in work (ASVS 6.3.8).
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
   * The session's token is new in any case (ASVS 7.2.4). Over a live session of the same user it replaces the token
   * and keeps the data; over that of another user it ends that session; an anonymous session hands over its data.
   *
   * @throws SessionAuthError `session_limit_reached`, `invalid_credentials` for a disabled account, `session_required`
   *   where the session has ended before its device was remembered, `invalid_configuration` for an `authenticatedAt`
   *   that is no time, or a nameless `upstream`
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
   * Ends the request's session and takes the cookie from the client. Harmless without a session. Any token of the
   * session will do, also one that was replaced. One round trip: the session is not read first.
   */
  async logout(request: object): Promise<void> {
    const requestSession = this.#unsent(request);
    const { token, exchange } = requestSession;
    await Promise.all([
      requestSession.forgetDevice({ reason: 'logout', exceptSessionId: token && handleOf(token) }),
      token === undefined ? undefined : this.changes.destroy(digestOf(token), 'logout', exchange.client),
    ]);
    requestSession.clear();
    // it would take the cookies and the data of all realms
    if (this.realms.areSeveral) requestSession.responseCookies.clearOthers();
    else exchange.setHeader('clear-site-data', '"cookies", "storage"');
  }

  /**
   * Has the signed-in user prove again who they are: new token, the old one dead at once, `authenticatedAt` now. The
   * absolute deadline stays.
   *
   * Wrong passwords count like those of a login. A form that was sent twice is answered twice, each time with a token
   * that works: the second request comes by the token that the first one has replaced, which is good for this alone
   * ({@link isRepeated}). So the route must not be behind a guard that asks for a session.
   *
   * @param proof `newPassword`: what the form is about to set the password to. Another request by the same form may
   *   have set it already, and the old one holds no more then
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
   *   request has replaced its token meanwhile; `invalid_configuration` for what is no name of a factor, and for a
   *   ninth
   */
  async factorCompleted(request: object, factor: string): Promise<Session> {
    const requestSession = this.#unsent(request);
    const session = requireSession(await requestSession.load());
    const issued = await this.rotation.factorCompleted(session, factor, requestSession.exchange.client);
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
   * Gives the request's session a new token and cookie. The old one still works until the new one is used, and for
   * `grace` (default `lifetime.rotationGrace`) after that, for requests in flight; 0 ends it at once, for gains of
   * privilege of the application's own.
   *
   * @throws SessionAuthError `session_required` without a session
   */
  async rotate(request: object, options: { readonly grace?: number } = {}): Promise<void> {
    const requestSession = this.#unsent(request);
    const session = await requestSession.load();
    if (session === undefined) throw new SessionAuthError('session_required', 'there is no session to rotate');
    const until = options.grace === 0 ? undefined : requestSession.latestHead();
    const issued = await this.rotation.rotate(session, { ...options, client: requestSession.exchange.client });
    if (issued !== undefined) requestSession.replace(issued, until);
  }

  /**
   * To be called after a user's password, or whatever else they log in with, has changed (ASVS 7.4.3): all their
   * sessions and remembered devices end, and no device that they signed in from is known any more. The session of the
   * request `keep`, if it is that user's, goes on with a new token, the old one dead at once. Answers how many sessions
   * ended.
   *
   * A login with the old password that is under way ends as well: it looks the account up again after its session is
   * made. So save the new password first, then call this.
   *
   * @param options `keep`: the request (`@Req()`) whose session goes on; without it all of them end
   * @throws SessionAuthError `session_required` when the session to keep has been replaced by another request
   */
  async credentialsChanged(
    userId: SessionUserId,
    options: { readonly keep?: object } = {},
  ): Promise<{ readonly revokedSessions: number }> {
    return this.accountChanges.credentialsChanged(userIdOf(userId), options.keep);
  }

  /**
   * To be called after an account was disabled or deleted (ASVS 7.4.2): all its sessions and remembered devices end.
   * Answers how many sessions did. Save that it is disabled first, then call this.
   */
  async accountDisabled(userId: SessionUserId, client?: ClientInfo): Promise<{ readonly revokedSessions: number }> {
    return this.accountChanges.accountDisabled(userIdOf(userId), client);
  }

  /**
   * To be called after a user's roles have changed: all their live sessions carry the new ones from now on, and each
   * gets a new token on its next request. Answers how many. Save the roles first, then call this.
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
