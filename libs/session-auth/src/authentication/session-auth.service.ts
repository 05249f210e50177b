import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionEndReason } from '../events/session-event.js';
import type { RequestSession } from '../http/request-session.js';
import { getRequestSession } from '../http/request-sessions.js';
import type { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import type { SessionData } from '../session/session-record.js';
import { Session } from '../session/session.js';
import type { ClientInfo } from '../users/client-info.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';
import { CredentialCheck, type CredentialCheckParts } from './credential-check.js';
import type { RememberedLogin } from './remembered-login.js';
import { requireSession, requireUser } from './require-session.js';

/** An account that changes at each look never settles: it is left as it was seen last. */
const MAX_LOOKS = 5;

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
export interface SessionAuthParts extends CredentialCheckParts {
  readonly lifecycle: SessionLifecycleService;
  /** Absent where remember-me is off. */
  readonly remembered: RememberedLogin | undefined;
}

/**
 * Login, logout and re-authentication over HTTP: sessions and the cookies that stand for them.
 *
 * Each method takes the request as the handler has it (`@Req()`), of Express or Fastify, and writes cookies to that
 * request's response before the handler returns.
 */
export class SessionAuthService {
  readonly #credentials: CredentialCheck;

  constructor(private readonly parts: SessionAuthParts) {
    this.#credentials = new CredentialCheck(parts);
  }

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
    const bound = getRequestSession(request);
    const users = this.#users();
    const user = await this.#credentials.userOf(bound, email, () => users.findByEmail(email), password);
    const login = await this.#signIn(bound, user, 'password', options, email);
    return this.#settle(bound, login, password);
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
    if (user.disabled === true) this.#credentials.fail(bound, 'account_disabled', user);
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
   * Wrong passwords count like those of a login.
   *
   * @throws SessionAuthError `session_required`, `invalid_credentials`, `too_many_attempts`, `password_too_long`,
   *   `not_configured`
   */
  async reauthenticate(request: object, proof: { readonly password: string }): Promise<Login> {
    const bound = getRequestSession(request);
    const session = requireSession(await bound.load());
    const user = requireUser(await bound.loadUser());
    const loginName = user.email ?? String(user.id);
    await this.#credentials.userOf(bound, loginName, () => Promise.resolve(user), proof.password);
    const { client } = bound.exchange;
    const issued = await this.parts.lifecycle.reauthenticated(session, {
      user,
      authentication: 'password',
      client,
      fingerprint: bound.fingerprint,
    });
    if (issued === undefined) throw new SessionAuthError('session_required', 'sign in first');
    bound.replace(issued);
    return this.#settle(bound, { user, session: issued.session }, proof.password);
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
    const id = String(userId);
    const bound = options.keep === undefined ? undefined : getRequestSession(options.keep);
    const session = await bound?.load();
    const client = bound?.exchange.client;
    const reason = 'credentials_changed';
    await this.#forgetRememberedDevices(id, bound);
    if (bound === undefined || session?.userId !== id) {
      return { revokedSessions: await this.parts.lifecycle.revokeAll(id, reason, client) };
    }
    const issued = await this.parts.lifecycle.rotate(session, { reason, grace: 0, client });
    if (issued !== undefined) bound.replace(issued);
    const revokedSessions = await this.parts.lifecycle.revokeOthers(id, session.id, reason, client);
    // another request has rotated it meanwhile, maybe a thief's: whoever it was, they have to log in again
    if (issued === undefined) await this.#endSuperseded(bound, id, session.id);
    return { revokedSessions };
  }

  /**
   * To be called after an account was disabled or deleted (ASVS 7.4.2): all its sessions and remembered devices end.
   * Answers how many sessions did. Save that it is disabled first, then call this.
   */
  async accountDisabled(userId: string | number, client?: ClientInfo): Promise<{ readonly revokedSessions: number }> {
    const id = String(userId);
    await this.#forgetRememberedDevices(id);
    return { revokedSessions: await this.parts.lifecycle.revokeAll(id, 'account_disabled', client) };
  }

  /**
   * To be called after a user's roles have changed: all their live sessions carry the new ones from now on, and each
   * gets a new token on its next request. Answers how many. Save the roles first, then call this.
   */
  async rolesChanged(userId: string | number, roles: readonly string[]): Promise<{ readonly sessions: number }> {
    return { sessions: await this.parts.lifecycle.updateUser(String(userId), { roles }) };
  }

  /** All devices of a user, the one of the request at hand as well, after a change of the account. */
  async #forgetRememberedDevices(userId: string, bound?: RequestSession): Promise<void> {
    const { remembered } = this.parts;
    await remembered?.forgetAll(userId);
    if (bound !== undefined) remembered?.takeCookie(bound);
  }

  async #endSuperseded(bound: RequestSession, userId: string, sessionId: string): Promise<never> {
    await this.parts.lifecycle.revoke(userId, sessionId, 'credentials_changed', bound.exchange.client);
    bound.clear();
    throw new SessionAuthError('session_required', 'the session was replaced meanwhile: sign in again');
  }

  async #signIn<User extends SessionUser>(
    bound: RequestSession,
    user: User,
    authentication: SessionAuthentication,
    options: LoginOptions,
    loginName?: string,
  ): Promise<Login<User>> {
    const login = await this.#establish(bound, user, authentication, loginName);
    const { remembered } = this.parts;
    if (options.rememberMe === true) await remembered?.remember(bound, String(user.id), login.session.id);
    else await remembered?.forget(bound);
    return login;
  }

  async #establish<User extends SessionUser>(
    bound: RequestSession,
    user: User,
    authentication: SessionAuthentication,
    loginName?: string,
  ): Promise<Login<User>> {
    const { lifecycle, devices } = this.parts;
    const { client } = bound.exchange;
    const newDevice = devices.isNew(bound, user);
    const previous = await bound.loadLive();
    if (previous?.userId === String(user.id)) {
      const renewed = await this.#renew(previous, user, authentication, bound);
      if (renewed !== undefined) {
        devices.remember(bound, user, loginName);
        return renewed;
      }
    }
    const data = previous !== undefined && previous.userId === undefined ? previous.data : undefined;
    const { fingerprint } = bound;
    const issued = await lifecycle.create({ user, authentication, client, fingerprint, newDevice, data });
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
    devices.remember(bound, user, loginName);
    return { user, session: issued.session };
  }

  /**
   * Between the look-up of an account and the session that its password was good for, the account may have changed: a
   * new password, other roles, disabled. Whoever changed it has told the sessions that were there by then, and not this
   * one. So the account is looked up once more, now that the session is there to be told.
   */
  async #settle(bound: RequestSession, login: Login, password: string): Promise<Login> {
    const users = this.#users();
    const { session } = login;
    let { user } = login;
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const present = await users.findById(String(user.id));
      if (!present || present.disabled === true) return this.#undo(bound, login, 'account_disabled');
      if (!(await this.#credentials.stillHolds(password, user, present))) {
        return this.#undo(bound, login, 'credentials_changed');
      }
      if (isSameAccount(user, present)) return { user: present, session };
      const account = accountOf(present);
      await this.parts.lifecycle.updateUser(String(user.id), account);
      Session.adopt(session, { ...Session.recordOf(session), ...account });
      user = present;
    }
    return { user, session };
  }

  async #undo(bound: RequestSession, { user, session }: Login, reason: SessionEndReason): Promise<never> {
    await this.parts.lifecycle.revoke(String(user.id), session.id, reason, bound.exchange.client);
    bound.clear();
    return this.#credentials.fail(bound, reason === 'account_disabled' ? 'account_disabled' : 'wrong_password', user);
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

function accountOf({ roles, email }: SessionUser): { readonly roles: readonly string[]; readonly email?: string } {
  return { roles: roles ?? [], email: email ?? undefined };
}

/** Whether two look-ups of a user say the same of what a session holds. */
function isSameAccount(a: SessionUser, b: SessionUser): boolean {
  return JSON.stringify(accountOf(a)) === JSON.stringify(accountOf(b));
}
