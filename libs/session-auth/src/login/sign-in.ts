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
import type { SessionAuthentication } from '../users/session-authentication.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';
import { findUser, userIdOf } from '../users/valid-user.js';
import { CredentialCheck } from './credential-check.js';
import { RememberedLogin } from './remembered-login.js';

/** An account that changes at each look never settles: it is left as it was seen last. */
const MAX_LOOKS = 5;

/** How a login is to go on. */
export interface LoginOptions {
  /** Keep the device signed in beyond the session, by a remember-me token. @default false */
  readonly rememberMe?: boolean;
}

/** How a login by the application's own means is to go on. */
export interface LoginUserOptions extends LoginOptions {
  /**
   * When the user proved who they are, where that was not just now: OpenID Connect's `auth_time`. What
   * `@RequireRecentAuth()` goes by. A time ahead counts as now. @default now
   */
  readonly authenticatedAt?: Date;
  /**
   * The session at the identity provider that the login came of, for {@link SessionLifecycleService.revokeUpstream}.
   * @default none
   */
  readonly upstream?: UpstreamSession;
}

/** A login that succeeded. The token went into the response's cookie and is not here. */
export interface Login<User extends SessionUser = SessionUser> {
  readonly user: User;
  readonly session: Session;
}

/** How the user came to be known. */
type Proof = Pick<RenewingLogin, 'authentication' | 'authenticatedAt' | 'upstream'>;

/** What a login does once the user is known: a session with a new token, and nothing left of what was there before. */
@Injectable()
export class SignIn {
  constructor(
    private readonly changes: SessionChanges,
    private readonly rotation: SessionRotation,
    private readonly reader: SessionReader,
    private readonly ofUsers: UserSessions,
    private readonly credentials: CredentialCheck,
    private readonly remembered: RememberedLogin,
    @Inject(SESSION_LIFETIME) private readonly lifetime: SessionLifetime,
  ) {}

  /**
   * A session and cookies for a user who is known to be it, and a remembered device where that is asked for.
   *
   * @param newDevice whether they had not signed in from the request's device before; undefined: not known
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
    const login = await this.#establish(requestSession, user, { authentication, ...originOf(options) }, newDevice);
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
  ): Promise<Login<User>> {
    const { changes } = this;
    const { presented, responseCookies, exchange } = requestSession;
    const { client } = exchange;
    const previous = await requestSession.loadLive();
    // a form that was sent twice: the first login has replaced the token a moment ago
    const own = previous ?? (await requestSession.loadRenewable());
    if (own?.userId === userIdOf(user.id)) {
      const renewed = await this.#renew(own, user, proof, requestSession);
      if (renewed !== undefined) {
        responseCookies.writeDevice(user);
        return renewed;
      }
    }
    const data = previous !== undefined && previous.userId === undefined ? previous.data : undefined;
    const { fingerprint } = requestSession;
    const device = presented.deviceDigest;
    // the session of a login that could not renew it ends: its token is with somebody else
    const sharedFor = previous?.userId === userIdOf(user.id) ? 0 : this.lifetime.rotationGrace;
    const issued = await changes.create({ user, ...proof, client, fingerprint, newDevice, data, device, sharedFor });
    if (previous !== undefined) {
      try {
        await changes.destroySession(previous, 'replaced', client);
      } catch (error) {
        // the login failed as a whole: what it made must not stay behind unseen, nor its client wait for a store again
        // that has just failed
        changes.destroySession(issued.session, 'replaced', client).catch(() => undefined);
        throw error;
      }
    }
    requestSession.replace(issued);
    responseCookies.writeDevice(user);
    return { user, session: issued.session };
  }

  /**
   * Between the look-up of an account and the session that its password was good for, the account may have changed: a
   * new password, other roles, disabled. Whoever changed it has told the sessions that were there by then, and not this
   * one. So the account is looked up once more, now that the session is there to be told.
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
   * Whoever ended all sessions of a user between a session and its remembered device has not seen the device. So the
   * session is looked for once more, now that the device is there.
   *
   * @throws SessionAuthError `session_required` where it has ended: the device is forgotten then
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

  /** The session of a renewed login; undefined when it ended or was replaced while the password was checked. */
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

/** Whether two look-ups of a user say the same of what a session holds. */
function isSameAccount(a: SessionUser, b: SessionUser): boolean {
  return JSON.stringify(accountOf(a)) === JSON.stringify(accountOf(b));
}
