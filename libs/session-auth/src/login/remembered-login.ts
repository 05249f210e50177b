import { Inject, Injectable, Optional } from '@nestjs/common';
import type { OpenedRememberMeCookie } from '../cookies/remember-me-cookie.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { RequestSession } from '../http/request-session.js';
import {
  SessionResumer,
  type Forgetting,
  type ResumableRequest,
  type ResumedSession,
} from '../http/session-resumer.js';
import { RememberMeRevocation } from '../remember-me/remember-me-revocation.js';
import { RememberMeSignIn } from '../remember-me/remember-me-sign-in.js';
import { REMEMBER_ME_SETTINGS, type RememberMeSettings } from '../remember-me/remember-me.options.js';
import { RememberMeService } from '../remember-me/remember-me.service.js';
import { SessionUserProvider } from '../users/session-user-provider.js';

/**
 * Remember-me over HTTP: the device's token, and the login that it makes for a request without a live session. When
 * remember-me is off, requests have no such cookie, and no device is remembered.
 */
@Injectable()
export class RememberedLogin extends SessionResumer {
  constructor(
    private readonly rememberMe: RememberMeService,
    private readonly signIns: RememberMeSignIn,
    private readonly revocation: RememberMeRevocation,
    @Inject(REMEMBER_ME_SETTINGS) private readonly settings: RememberMeSettings | undefined,
    @Optional() private readonly users?: SessionUserProvider,
  ) {
    super();
  }

  /**
   * Call it before a device is remembered: without `users` it could not sign anybody in.
   *
   * @throws SessionAuthError `not_configured` without `users`
   */
  requireUsers(): void {
    if (this.settings === undefined || this.users !== undefined) return;
    throw new SessionAuthError('not_configured', 'a remembered device needs the option users, to find its user by id');
  }

  /** Remembers the device that has just logged in. Its previous token stops working. */
  async remember(request: RequestSession, userId: string, sessionId: string): Promise<void> {
    if (this.settings === undefined) return;
    await this.#takeIn(request, { reason: 'replaced', exceptSessionId: sessionId });
    const { token, device } = await this.rememberMe.issue(userId, sessionId, request.exchange.client);
    request.responseCookies.writeRememberMe(token, userId, device.expiresAt);
  }

  override async forget(request: ResumableRequest, how: Forgetting): Promise<void> {
    await this.#takeIn(request, how);
    request.responseCookies.clearRememberMe();
  }

  /** Forgets all devices of a user. */
  async forgetAll(userId: string): Promise<void> {
    if (this.settings !== undefined) await this.rememberMe.revokeAll(userId);
  }

  /**
   * Signs a remembered device in: it gets a new session, and this response carries a successor of its token. Undefined
   * when the cookie signs nobody in. The cookie is cleared then, unless the client may use it again.
   *
   * An unsafe request whose session cookie belongs to another user signs nobody in: a CSRF token that is bound to that
   * session must not act for the remembered user. No cookie is cleared then.
   */
  override async resume(request: ResumableRequest): Promise<ResumedSession | undefined> {
    const { presented, exchange, responseCookies, fingerprint } = request;
    // issued by an application that had users, or has them on another node, so the cookie stays
    if (!presented.hasRememberMe || this.users === undefined) return undefined;
    const opened = presented.rememberMe;
    if (opened === undefined) {
      responseCookies.clearRememberMe();
      return undefined;
    }
    if (isMixed(request, opened)) return undefined;
    const { token, userMark } = opened;
    const device = presented.deviceDigest;
    const outcome = await this.signIns.signIn(token, { client: exchange.client, fingerprint, device, userMark });
    if (outcome.status === 'signed-in') {
      const { record, session, until } = outcome;
      responseCookies.writeRememberMe(outcome.token, record.userId, new Date(record.expiresAt), until);
      return { ...session, until };
    }
    if (outcome.status !== 'unused') responseCookies.clearRememberMe();
    return undefined;
  }

  async #takeIn({ presented, exchange }: ResumableRequest, how: Forgetting): Promise<void> {
    const opened = presented.rememberMe;
    if (opened === undefined) return;
    await this.revocation.forget(opened.token, { ...how, client: exchange.client }, opened.userMark);
  }
}

/**
 * Whether an unsafe request has a session of one user, or an anonymous one, and a remember-me token of another user.
 */
function isMixed({ presented, exchange }: ResumableRequest, { userMark }: OpenedRememberMeCookie): boolean {
  if (exchange.method === 'GET' || exchange.method === 'HEAD') return false;
  const { session } = presented;
  return session !== undefined && Buffer.compare(session.userMark, userMark) !== 0;
}
