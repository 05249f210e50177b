import { Injectable, Optional } from '@nestjs/common';
import { markOfUser } from '../crypto/identity-mark.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { RememberMeCookie, type OpenedRememberMeCookie } from '../cookies/remember-me-cookie.js';
import type { RememberedLoginResumer, RequestSession } from '../http/request-session.js';
import { RememberMeService, type RememberMeConsumption } from '../remember-me/remember-me.service.js';
import type { IssuedSession } from '../session/session-lifecycle.js';
import { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import type { Session } from '../session/session.js';
import { Clock } from '../time/clock.js';
import { SessionUserProvider, type SessionUser } from '../users/session-user-provider.js';

/** At the limit, or late: the session of this token has been given another one, which the client holds by now. */
const SIGNS_NOBODY_IN = ['session_limit_reached', 'session_required'];

type Remembered = Extract<RememberMeConsumption, { status: 'remembered' }>;

/**
 * Remember-me over HTTP: the cookie, and the login that comes of it when a request has no live session. Where
 * remember-me is off, no request has such a cookie, and no device is remembered.
 */
@Injectable()
export class RememberedLogin implements RememberedLoginResumer {
  /** @param cookie absent where the application has switched remember-me off */
  constructor(
    private readonly rememberMe: RememberMeService,
    private readonly lifecycle: SessionLifecycleService,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    @Optional() private readonly cookie?: RememberMeCookie,
    @Optional() private readonly users?: SessionUserProvider,
  ) {}

  /**
   * To be asked before a device is remembered: without `users` nobody could be signed in by it.
   *
   * @throws SessionAuthError `not_configured` without `users`
   */
  requireUsers(): void {
    if (this.cookie === undefined || this.users !== undefined) return;
    throw new SessionAuthError('not_configured', 'a remembered device needs the option users, to find its user by id');
  }

  /** Remembers the device that has just logged in. What it was remembered by before is over. */
  async remember(requestSession: RequestSession, userId: string, sessionId: string): Promise<void> {
    if (this.cookie === undefined) return;
    await this.#revokePresented(requestSession);
    this.#writeCookie(requestSession, await this.rememberMe.issue(userId, sessionId, requestSession.exchange.client));
  }

  /** Forgets the device of a request and takes its cookie. Costs nothing where there is none. */
  async forget(requestSession: RequestSession): Promise<void> {
    if (!this.isSent(requestSession)) return;
    await this.#revokePresented(requestSession);
    this.clearCookie(requestSession);
  }

  /** Forgets all devices of a user. */
  async forgetAll(userId: string): Promise<void> {
    if (this.cookie !== undefined) await this.rememberMe.revokeAll(userId);
  }

  /** Takes the cookie from a client that sent one. */
  clearCookie(requestSession: RequestSession): void {
    const { cookie } = this;
    const { exchange } = requestSession;
    if (cookie === undefined || exchange.headersSent || !this.isSent(requestSession)) return;
    exchange.setCookie(cookie.name, cookie.expire());
  }

  isPresented(requestSession: RequestSession): boolean {
    return this.#read(requestSession) !== undefined;
  }

  /**
   * Signs a remembered device in: a session of its own, a rotated token, both cookies in this response. Undefined when
   * the cookie is refused for whatever reason; it is taken from the client then.
   *
   * A request that changes something signs nobody in when its session cookie is another user's: a CSRF token that is
   * bound to that session must not speak for the remembered user. Nothing is taken then.
   */
  async resume(requestSession: RequestSession): Promise<Session | undefined> {
    if (!this.isSent(requestSession)) return undefined;
    const { rememberMe, events, users } = this;
    // issued by an application that had them, or has them on another node: left as it is
    if (users === undefined) return undefined;
    const { client } = requestSession.exchange;
    const opened = this.#read(requestSession);
    if (opened !== undefined && isMixed(requestSession, opened)) return undefined;
    const outcome = opened === undefined ? undefined : await rememberMe.consume(opened.token, client);
    if (outcome?.status === 'remembered' && !markOfUser(outcome.device.userId).equals(opened!.userMark)) {
      // the store has answered with the record of somebody else
      events.publish({ type: 'session.corrupt_record', client });
    } else if (outcome?.status === 'remembered') {
      // before anything that may fail, such as the look-up of the user: the validator that the client holds has been used
      // up, and presented once more after its grace it would be taken for a thief's
      this.#writeCookie(requestSession, outcome);
      const user = await findUser(users, outcome.device.userId);
      if (user !== undefined) return this.#signIn(requestSession, user, outcome);
      await rememberMe.revokeAll(outcome.device.userId);
    }
    this.clearCookie(requestSession);
    return undefined;
  }

  async #signIn(requestSession: RequestSession, user: SessionUser, outcome: Remembered): Promise<Session | undefined> {
    const { rememberMe, lifecycle } = this;
    const { device } = outcome;
    const issued = await this.#createSession(requestSession, user, outcome);
    if (issued === undefined) return undefined;
    // whoever revoked the token meanwhile has ended the user's sessions before this one was there
    if (!(await rememberMe.isRemembered(device.userId, device.id))) {
      await lifecycle.destroySession(issued.session, 'revoked', requestSession.exchange.client);
      this.clearCookie(requestSession);
      return undefined;
    }
    requestSession.replace(issued);
    return issued.session;
  }

  /** Hands the client its next token, if it is to have one. */
  #writeCookie({ exchange }: RequestSession, { token, device }: Pick<Remembered, 'token' | 'device'>): void {
    const { cookie, clock } = this;
    if (cookie === undefined || token === undefined) return;
    exchange.setCookie(cookie.name, cookie.issue(token, device.userId, device.expiresAt.getTime(), clock.now()));
  }

  async #createSession(
    requestSession: RequestSession,
    user: SessionUser,
    outcome: Remembered,
  ): Promise<IssuedSession | undefined> {
    const { fingerprint, exchange } = requestSession;
    try {
      return await this.lifecycle.create({
        user,
        authentication: 'remember-me',
        authenticatedAt: outcome.device.createdAt.getTime(),
        client: exchange.client,
        fingerprint,
        newDevice: false,
        identity: outcome.session,
      });
    } catch (error) {
      if (error instanceof SessionAuthError && SIGNS_NOBODY_IN.includes(error.code)) return undefined;
      throw error;
    }
  }

  async #revokePresented(requestSession: RequestSession): Promise<void> {
    const opened = this.#read(requestSession);
    if (opened !== undefined) await this.rememberMe.revokeToken(opened.token);
  }

  #read({ exchange }: RequestSession): OpenedRememberMeCookie | undefined {
    return this.cookie?.read(exchange.cookieHeader, this.clock.now());
  }

  isSent({ exchange }: RequestSession): boolean {
    return this.cookie?.isIn(exchange.cookieHeader) === true;
  }
}

/** Whether an unsafe request holds a session of one user, or of nobody, and a remember-me token of another. */
function isMixed({ presentedUserMark, exchange }: RequestSession, { userMark }: OpenedRememberMeCookie): boolean {
  if (exchange.method === 'GET' || exchange.method === 'HEAD') return false;
  return presentedUserMark !== undefined && Buffer.compare(presentedUserMark, userMark) !== 0;
}

async function findUser(users: SessionUserProvider, userId: string): Promise<SessionUser | undefined> {
  const user = await users.findById(userId);
  return user && user.disabled !== true ? user : undefined;
}
