import { markOfUser } from '../crypto/identity-mark.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionEventPublisher } from '../events/event-publisher.js';
import type { OpenedRememberMeCookie, RememberMeCookie } from '../cookies/remember-me-cookie.js';
import type { RememberedLoginResumer, RequestSession } from '../http/request-session.js';
import type { RememberMeConsumption, RememberMeService } from '../remember-me/remember-me.service.js';
import type { IssuedSession } from '../session/session-lifecycle.js';
import type { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import type { Session } from '../session/session.js';
import type { Clock } from '../time/clock.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';

/** What {@link RememberedLogin} works with. */
export interface RememberedLoginParts {
  readonly rememberMe: RememberMeService;
  readonly cookie: RememberMeCookie;
  readonly lifecycle: SessionLifecycleService;
  readonly clock: Clock;
  readonly events: SessionEventPublisher;
  readonly users: SessionUserProvider | undefined;
}

/** At the limit, or late: the session of this token has been given another one, which the client holds by now. */
const SIGNS_NOBODY_IN = ['session_limit_reached', 'session_required'];

type Remembered = Extract<RememberMeConsumption, { status: 'remembered' }>;

/** Remember-me over HTTP: the cookie, and the login that comes of it when a request has no live session. */
export class RememberedLogin implements RememberedLoginResumer {
  constructor(private readonly parts: RememberedLoginParts) {}

  /**
   * To be asked before a device is remembered: without `users` nobody could be signed in by it.
   *
   * @throws SessionAuthError `not_configured` without `users`
   */
  requireUsers(): void {
    if (this.parts.users !== undefined) return;
    throw new SessionAuthError('not_configured', 'a remembered device needs the option users, to find its user by id');
  }

  /** Remembers the device that has just logged in. What it was remembered by before is over. */
  async remember(bound: RequestSession, userId: string, sessionId: string): Promise<void> {
    await this.#revokePresented(bound);
    this.#writeCookie(bound, await this.parts.rememberMe.issue(userId, sessionId, bound.exchange.client));
  }

  /** Forgets the device of a request and takes its cookie. Costs nothing where there is none. */
  async forget(bound: RequestSession): Promise<void> {
    if (!this.isSent(bound)) return;
    await this.#revokePresented(bound);
    this.takeCookie(bound);
  }

  /** Forgets all devices of a user. */
  async forgetAll(userId: string): Promise<void> {
    await this.parts.rememberMe.revokeAll(userId);
  }

  /** Takes the cookie from a client that sent one. */
  takeCookie(bound: RequestSession): void {
    const { cookie } = this.parts;
    if (this.isSent(bound) && !bound.exchange.headersSent) bound.exchange.setCookie(cookie.name, cookie.expire());
  }

  isPresented(bound: RequestSession): boolean {
    return this.#read(bound) !== undefined;
  }

  /**
   * Signs a remembered device in: a session of its own, a rotated token, both cookies in this response. Undefined when
   * the cookie is refused for whatever reason; it is taken from the client then.
   *
   * A request that changes something signs nobody in when its session cookie is another user's: a CSRF token that is
   * bound to that session must not speak for the remembered user. Nothing is taken then.
   */
  async resume(bound: RequestSession): Promise<Session | undefined> {
    if (!this.isSent(bound)) return undefined;
    const { rememberMe, events, users } = this.parts;
    // issued by an application that had them, or has them on another node: left as it is
    if (users === undefined) return undefined;
    const { client } = bound.exchange;
    const opened = this.#read(bound);
    if (opened !== undefined && isMixed(bound, opened)) return undefined;
    const outcome = opened === undefined ? undefined : await rememberMe.consume(opened.token, client);
    if (outcome?.status === 'remembered' && !markOfUser(outcome.device.userId).equals(opened!.userMark)) {
      // the store has answered with the record of somebody else
      events.publish({ type: 'session.corrupt_record', client });
    } else if (outcome?.status === 'remembered') {
      // before anything that may fail, such as the look-up of the user: the validator that the client holds has been used
      // up, and presented once more after its grace it would be taken for a thief's
      this.#writeCookie(bound, outcome);
      const user = await findUser(users, outcome.device.userId);
      if (user !== undefined) return this.#signIn(bound, user, outcome);
      await rememberMe.revokeAll(outcome.device.userId);
    }
    this.takeCookie(bound);
    return undefined;
  }

  async #signIn(bound: RequestSession, user: SessionUser, outcome: Remembered): Promise<Session | undefined> {
    const { rememberMe, lifecycle } = this.parts;
    const { device } = outcome;
    const issued = await this.#createSession(bound, user, outcome);
    if (issued === undefined) return undefined;
    // whoever revoked the token meanwhile has ended the user's sessions before this one was there
    if (!(await rememberMe.isRemembered(device.userId, device.id))) {
      await lifecycle.destroySession(issued.session, 'revoked', bound.exchange.client);
      this.takeCookie(bound);
      return undefined;
    }
    bound.replace(issued);
    return issued.session;
  }

  /** Hands the client its next token, if it is to have one. */
  #writeCookie({ exchange }: RequestSession, { token, device }: Pick<Remembered, 'token' | 'device'>): void {
    const { cookie, clock } = this.parts;
    if (token === undefined) return;
    exchange.setCookie(cookie.name, cookie.issue(token, device.userId, device.expiresAt.getTime(), clock.now()));
  }

  async #createSession(
    bound: RequestSession,
    user: SessionUser,
    outcome: Remembered,
  ): Promise<IssuedSession | undefined> {
    const { fingerprint, exchange } = bound;
    try {
      return await this.parts.lifecycle.create({
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

  async #revokePresented(bound: RequestSession): Promise<void> {
    const opened = this.#read(bound);
    if (opened !== undefined) await this.parts.rememberMe.revokeToken(opened.token);
  }

  #read({ exchange }: RequestSession): OpenedRememberMeCookie | undefined {
    return this.parts.cookie.read(exchange.cookieHeader, this.parts.clock.now());
  }

  isSent({ exchange }: RequestSession): boolean {
    return this.parts.cookie.isIn(exchange.cookieHeader);
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
