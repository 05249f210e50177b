import { Inject, Injectable } from '@nestjs/common';
import type { SessionEndReason } from '../events/session-event.js';
import type { RequestSession } from '../http/request-session.js';
import type { RenewingLogin } from '../session/login-record.js';
import { SESSION_LIFETIME, type SessionLifetime } from '../session/lifetime.options.js';
import { SessionChanges } from '../session/session-changes.js';
import { SessionReader } from '../session/session-reader.js';
import { isSessionRequired, sessionEnded } from '../session/session-required.js';
import { SessionRotation } from '../session/session-rotation.js';
import { Session } from '../session/session.js';
import type { UpstreamSession } from '../session/upstream-session.js';
import { UserSessions } from '../session/user-sessions.js';
import { Clock } from '../time/clock.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';
import { findUser, userIdOf } from '../users/valid-user.js';
import { CredentialCheck } from './credential-check.js';
import { RememberedLogin } from './remembered-login.js';

/** If an account changes at every look-up, the last state is used. */
const MAX_LOOKS = 5;

/** Options of a login. */
export interface LoginOptions {
  /** Keep the device signed in beyond the session, by a remember-me token. @default false */
  readonly rememberMe?: boolean;
}

/** Options of a login by the application's own means. */
export interface LoginUserOptions extends LoginOptions {
  /**
   * When the user proved their identity, if not just now: `auth_time` of OpenID Connect. `@RequireRecentAuth()` uses
   * it. A future time counts as now. @default now
   */
  readonly authenticatedAt?: Date;
  /**
   * The session at the identity provider that the login used, for `SessionLifecycleService.revokeUpstream`.
   * @default none
   */
  readonly upstream?: UpstreamSession;
  /**
   * `false`: the new session begins without the data of the earlier one, which somebody else may have written. The data
   * is left behind in the step that makes the session. A live session of the same user that has data is replaced, not
   * renewed.
   *
   * @default true: a session of the same user, or of nobody, passes its data to the new one
   */
  readonly keepData?: boolean;
}

/** A login that succeeded. The token is only in the response's cookie. */
export interface Login<User extends SessionUser = SessionUser> {
  readonly user: User;
  readonly session: Session;
}

/** How the user was authenticated. */
type Proof = Pick<RenewingLogin, 'authentication' | 'authenticatedAt' | 'upstream'>;

/**
 * Completes a login once the user is known: makes a session with a new token, and ends the one that was there before.
 */
@Injectable()
export class SignIn {
  constructor(
    private readonly changes: SessionChanges,
    private readonly rotation: SessionRotation,
    private readonly reader: SessionReader,
    private readonly ofUsers: UserSessions,
    private readonly credentials: CredentialCheck,
    private readonly remembered: RememberedLogin,
    private readonly clock: Clock,
    @Inject(SESSION_LIFETIME) private readonly lifetime: SessionLifetime,
  ) {}

  /**
   * Makes a session and cookies for an authenticated user, and a remembered device if requested.
   *
   * @param newDevice whether this is their first login from the request's device; undefined: not known
   */
  async signIn<User extends SessionUser>(
    requestSession: RequestSession,
    user: User,
    authentication: SessionAuthentication,
    options: LoginUserOptions,
    newDevice: boolean | undefined,
  ): Promise<Login<User>> {
    const { remembered } = this;
    if (options.rememberMe === true) remembered.requireUsers();
    const proof = { authentication, ...originOf(options) };
    const login = await this.#establish(requestSession, user, proof, newDevice, options.keepData !== false);
    const { id: sessionId } = login.session;
    if (options.rememberMe === true) await remembered.remember(requestSession, userIdOf(user.id), sessionId);
    else await requestSession.forgetDevice({ reason: 'replaced', exceptSessionId: sessionId });
    return login;
  }

  async #establish<User extends SessionUser>(
    requestSession: RequestSession,
    user: User,
    proof: Proof,
    newDevice: boolean | undefined,
    keepsData: boolean,
  ): Promise<Login<User>> {
    const { changes } = this;
    const { presented, responseCookies, exchange } = requestSession;
    const { client } = exchange;
    const previous = await requestSession.loadLive();
    // a form that was sent twice: the first login has replaced the token a moment ago
    const own = previous ?? (await requestSession.loadRenewable());
    const isSameUser = own?.userId === userIdOf(user.id);
    const isRenewed = isSameUser && (keepsData || Object.keys(own.data).length === 0);
    if (isRenewed) {
      const renewed = await this.#renew(own, user, proof, requestSession);
      if (renewed !== undefined) {
        responseCookies.writeDevice(user);
        return renewed;
      }
    }
    const data = keepsData && previous?.userId === undefined ? previous?.data : undefined;
    const { fingerprint } = requestSession;
    const device = presented.deviceDigest;
    const replaces = isSameUser && !isRenewed ? own : undefined;
    const { rotationGrace } = this.lifetime;
    // a session that the login could not renew ends: somebody else has its token
    const isLost = isRenewed && own === previous;
    // a session that the login replaces must not be taken for the first of two logins from one form
    const isYoung = replaces !== undefined && this.clock.now() - replaces.createdAt.getTime() <= rotationGrace;
    const sharedFor = isLost || isYoung ? 0 : rotationGrace;
    const input = { user, ...proof, client, fingerprint, newDevice, data, device, sharedFor, replaces };
    const issued = await changes.create(input);
    if (previous !== undefined) {
      try {
        await changes.destroySession(previous, 'replaced', client);
      } catch (error) {
        // the whole login failed: its session must not stay behind unseen, and its client should not wait again for a
        // store that has just failed
        changes.destroySession(issued.session, 'replaced', client).catch(() => undefined);
        throw error;
      }
    }
    requestSession.replace(issued);
    responseCookies.writeDevice(user);
    return { user, session: issued.session };
  }

  /**
   * Between the look-up of an account and the new session, the account may have changed: a new password, other roles,
   * disabled. Whoever changed it has updated the sessions of that moment, but not this one. So the account is looked up
   * once more, now that the session exists.
   */
  async settle(
    requestSession: RequestSession,
    login: Login,
    passwords: readonly string[],
    users: SessionUserProvider,
  ): Promise<Login> {
    const { session } = login;
    let { user } = login;
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const present = await findUser(users, userIdOf(user.id));
      if (present === undefined) return this.#undo(requestSession, login, 'account_disabled');
      if (!(await this.credentials.stillHolds(passwords, user, present))) {
        return this.#undo(requestSession, login, 'credentials_changed');
      }
      if (isSameAccount(user, present)) return { user: present, session };
      const account = accountOf(present);
      await this.ofUsers.update(userIdOf(user.id), account);
      Session.adopt(session, { ...Session.recordOf(session), ...account }, Session.foundBy(session), account.roles);
      user = present;
    }
    return { user, session };
  }

  /**
   * A request that ended all sessions of a user between this session and its remembered device has not seen the device.
   * So the session is read once more, now that the device exists.
   *
   * @throws SessionAuthError `session_required` if it has ended; the device is forgotten then
   */
  async settleDevice(requestSession: RequestSession, { user, session }: Login): Promise<void> {
    const { exchange } = requestSession;
    const userId = userIdOf(user.id);
    if ((await this.reader.readByHandle(userId, session.id, exchange)) !== undefined) return;
    await this.ofUsers.revoke(userId, session.id, 'revoked', exchange.client);
    requestSession.clear();
    throw sessionEnded();
  }

  async #undo(requestSession: RequestSession, { user, session }: Login, reason: SessionEndReason): Promise<never> {
    await this.ofUsers.revoke(userIdOf(user.id), session.id, reason, requestSession.exchange.client);
    requestSession.clear();
    return this.credentials.fail(
      requestSession,
      reason === 'account_disabled' ? 'account_disabled' : 'wrong_password',
      user,
    );
  }

  /** Returns the session of a renewed login; undefined when it ended or was replaced while the password was checked. */
  async #renew<User extends SessionUser>(
    session: Session,
    user: User,
    proof: Proof,
    requestSession: RequestSession,
  ): Promise<Login<User> | undefined> {
    try {
      const { fingerprint, exchange } = requestSession;
      const { client } = exchange;
      const issued = await this.rotation.renew(session, { user, ...proof, client, fingerprint });
      if (issued === undefined) return undefined;
      requestSession.replace(issued);
      return { user, session: issued.session };
    } catch (error) {
      if (isSessionRequired(error)) return undefined;
      throw error;
    }
  }
}

function originOf({ authenticatedAt, upstream }: LoginUserOptions): Omit<Proof, 'authentication'> {
  return { authenticatedAt: authenticatedAt?.getTime(), upstream };
}

function accountOf({ roles, email }: SessionUser): { readonly roles: readonly string[]; readonly email?: string } {
  return { roles: roles ?? [], email: email ?? undefined };
}

/** Whether two look-ups of a user agree on the fields that a session stores. */
function isSameAccount(a: SessionUser, b: SessionUser): boolean {
  return JSON.stringify(accountOf(a)) === JSON.stringify(accountOf(b));
}
