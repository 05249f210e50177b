import { SessionAuthError } from '../errors/session-auth.error.js';
import type { RequestSession } from '../http/request-session.js';
import { getRequestSession } from '../http/request-session.js';
import type { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import type { ClientInfo } from '../users/client-info.js';
import type { RememberedLogin } from './remembered-login.js';

/** What changes of an account end: sessions that stand for what it was, and devices that are remembered by it. */
export class AccountChanges {
  constructor(
    private readonly lifecycle: SessionLifecycleService,
    /** Absent where remember-me is off. */
    private readonly remembered: RememberedLogin | undefined,
  ) {}

  /** @param keep the request whose session goes on, with a new token */
  async credentialsChanged(userId: string, keep?: object): Promise<{ readonly revokedSessions: number }> {
    const bound = keep === undefined ? undefined : getRequestSession(keep);
    const session = await bound?.load();
    const client = bound?.exchange.client;
    const reason = 'credentials_changed';
    await this.#forgetRememberedDevices(userId, bound);
    if (bound === undefined || session?.userId !== userId) {
      return { revokedSessions: await this.lifecycle.revokeAll(userId, reason, client) };
    }
    const issued = await this.lifecycle.rotate(session, { reason, grace: 0, client });
    if (issued !== undefined) bound.replace(issued);
    const revokedSessions = await this.lifecycle.revokeOthers(userId, session.id, reason, client);
    // another request has rotated it meanwhile, maybe a thief's: whoever it was, they have to log in again
    if (issued === undefined) await this.#endSuperseded(bound, userId, session.id);
    return { revokedSessions };
  }

  async accountDisabled(userId: string, client?: ClientInfo): Promise<{ readonly revokedSessions: number }> {
    await this.#forgetRememberedDevices(userId);
    return { revokedSessions: await this.lifecycle.revokeAll(userId, 'account_disabled', client) };
  }

  /** All devices of a user, the one of the request at hand as well, after a change of the account. */
  async #forgetRememberedDevices(userId: string, bound?: RequestSession): Promise<void> {
    const { remembered } = this;
    await remembered?.forgetAll(userId);
    if (bound !== undefined) bound.responseCookies.clearRememberMe();
  }

  async #endSuperseded(bound: RequestSession, userId: string, sessionId: string): Promise<never> {
    await this.lifecycle.revoke(userId, sessionId, 'credentials_changed', bound.exchange.client);
    bound.clear();
    throw new SessionAuthError('session_required', 'the session was replaced meanwhile: sign in again');
  }
}
