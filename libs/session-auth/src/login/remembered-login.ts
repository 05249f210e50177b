import { Inject, Injectable, Optional } from '@nestjs/common';
import type { OpenedRememberMeCookie } from '../cookies/remember-me-cookie.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { RequestSession } from '../http/request-session.js';
import { SessionResumer, type ResumableRequest } from '../http/session-resumer.js';
import { REMEMBER_ME_SETTINGS, type RememberMeSettings } from '../remember-me/remember-me.options.js';
import { RememberMeService, type RememberMeConsumption } from '../remember-me/remember-me.service.js';
import { SessionChanges, type IssuedSession } from '../session/session-changes.js';
import { SessionUserProvider, type SessionUser } from '../users/session-user-provider.js';
import { markOfUser } from '../session/session.js';

/** At the limit, or late: the session of this token has been given another one, which the client holds by now. */
const SIGNS_NOBODY_IN = ['session_limit_reached', 'session_required'];

type Remembered = Extract<RememberMeConsumption, { status: 'remembered' }>;

/**
 * Remember-me over HTTP: the device's token, and the login that comes of it when a request has no live session. Where
 * remember-me is off, no request has such a cookie, and no device is remembered.
 */
@Injectable()
export class RememberedLogin extends SessionResumer {
  constructor(
    private readonly rememberMe: RememberMeService,
    private readonly changes: SessionChanges,
    private readonly events: SessionEventPublisher,
    @Inject(REMEMBER_ME_SETTINGS) private readonly settings: RememberMeSettings | undefined,
    @Optional() private readonly users?: SessionUserProvider,
  ) {
    super();
  }

  /**
   * To be asked before a device is remembered: without `users` nobody could be signed in by it.
   *
   * @throws SessionAuthError `not_configured` without `users`
   */
  requireUsers(): void {
    if (this.settings === undefined || this.users !== undefined) return;
    throw new SessionAuthError('not_configured', 'a remembered device needs the option users, to find its user by id');
  }

  /** Remembers the device that has just logged in. What it was remembered by before is over. */
  async remember(request: RequestSession, userId: string, sessionId: string): Promise<void> {
    if (this.settings === undefined) return;
    await this.#revokePresented(request);
    this.#writeCookie(request, await this.rememberMe.issue(userId, sessionId, request.exchange.client));
  }

  /** Forgets the device of a request and takes its cookie. Costs nothing where there is none. */
  async forget(request: RequestSession): Promise<void> {
    if (!request.presented.hasRememberMe) return;
    await this.#revokePresented(request);
    request.responseCookies.clearRememberMe();
  }

  /** Forgets all devices of a user. */
  async forgetAll(userId: string): Promise<void> {
    if (this.settings !== undefined) await this.rememberMe.revokeAll(userId);
  }

  /**
   * Signs a remembered device in: a session of its own, and a rotated token whose cookie is in this response. Undefined
   * when the cookie is refused for whatever reason; it is taken from the client then.
   *
   * A request that changes something signs nobody in when its session cookie is another user's: a CSRF token that is
   * bound to that session must not speak for the remembered user. Nothing is taken then.
   */
  override async resume(request: ResumableRequest): Promise<IssuedSession | undefined> {
    const { presented, exchange, responseCookies } = request;
    // issued by an application that had users, or has them on another node: left as it is
    if (!presented.hasRememberMe || this.users === undefined) return undefined;
    const opened = presented.rememberMe;
    if (opened !== undefined && isMixed(request, opened)) return undefined;
    const outcome = opened === undefined ? undefined : await this.rememberMe.consume(opened.token, exchange.client);
    if (outcome?.status === 'remembered' && !markOfUser(outcome.device.userId).equals(opened!.userMark)) {
      // the store has returned the record of somebody else
      this.events.publish({ type: 'session.corrupt_record', client: exchange.client });
    } else if (outcome?.status === 'remembered') {
      // before anything that may fail, such as the look-up of the user: the validator that the client holds has been used
      // up, and presented once more after its grace it would be taken for a thief's
      this.#writeCookie(request, outcome);
      const user = await findUser(this.users, outcome.device.userId);
      if (user !== undefined) return this.#signIn(request, user, outcome);
      await this.rememberMe.revokeAll(outcome.device.userId);
    }
    responseCookies.clearRememberMe();
    return undefined;
  }

  async #signIn(request: ResumableRequest, user: SessionUser, outcome: Remembered): Promise<IssuedSession | undefined> {
    const { device } = outcome;
    const issued = await this.#createSession(request, user, outcome);
    if (issued === undefined) return undefined;
    // whoever revoked the token meanwhile has ended the user's sessions before this one was there
    if (await this.rememberMe.isRemembered(device.userId, device.id)) return issued;
    await this.changes.destroySession(issued.session, 'revoked', request.exchange.client);
    request.responseCookies.clearRememberMe();
    return undefined;
  }

  async #createSession(
    { fingerprint, exchange }: ResumableRequest,
    user: SessionUser,
    { device, session }: Remembered,
  ): Promise<IssuedSession | undefined> {
    try {
      return await this.changes.create({
        user,
        authentication: 'remember-me',
        authenticatedAt: device.createdAt.getTime(),
        client: exchange.client,
        fingerprint,
        newDevice: false,
        identity: session,
      });
    } catch (error) {
      if (error instanceof SessionAuthError && SIGNS_NOBODY_IN.includes(error.code)) return undefined;
      throw error;
    }
  }

  /** Hands the client its next token, if it is to have one. */
  #writeCookie({ responseCookies }: ResumableRequest, { token, device }: Pick<Remembered, 'token' | 'device'>): void {
    if (token !== undefined) responseCookies.writeRememberMe(token, device.userId, device.expiresAt);
  }

  async #revokePresented({ presented }: RequestSession): Promise<void> {
    const opened = presented.rememberMe;
    if (opened !== undefined) await this.rememberMe.revokeToken(opened.token);
  }
}

/** Whether an unsafe request holds a session of one user, or of nobody, and a remember-me token of another. */
function isMixed({ presented, exchange }: ResumableRequest, { userMark }: OpenedRememberMeCookie): boolean {
  if (exchange.method === 'GET' || exchange.method === 'HEAD') return false;
  const { session } = presented;
  return session !== undefined && Buffer.compare(session.userMark, userMark) !== 0;
}

async function findUser(users: SessionUserProvider, userId: string): Promise<SessionUser | undefined> {
  const user = await users.findById(userId);
  return user && user.disabled !== true ? user : undefined;
}
