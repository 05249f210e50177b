import { Injectable, Optional } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { RequestSession } from '../http/request-session.js';
import { RequestSessionFactory } from '../http/request-session-factory.js';
import { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import { SessionRotation } from '../session/session-rotation.js';
import type { Session } from '../session/session.js';
import { LoginThrottle } from '../throttle/login-throttle.js';
import type { ClientInfo } from '../users/client.js';
import { RememberedLogin } from './remembered-login.js';

/**
 * Ends what a change of an account makes invalid: sessions of its earlier state, remembered devices and known devices.
 */
@Injectable()
export class AccountChanges {
  constructor(
    private readonly requestSessions: RequestSessionFactory,
    private readonly lifecycle: SessionLifecycleService,
    private readonly rotation: SessionRotation,
    private readonly remembered: RememberedLogin,
    @Optional() private readonly throttle?: LoginThrottle,
  ) {}

  /** @param keep the request whose session continues, with a new token */
  async credentialsChanged(userId: string, keep?: object): Promise<{ readonly revokedSessions: number }> {
    const requestSession = keep === undefined ? undefined : this.requestSessions.get(keep);
    requestSession?.requireUnsent();
    const session = await requestSession?.load();
    const kept = session?.userId === userId ? session : undefined;
    // each part is tried, even if another fails
    const [changedAt, ended] = await Promise.all([
      this.throttle?.credentialsChanged(userId),
      this.#endSessions(userId, requestSession, kept),
    ]);
    // the present browser stays known, because its time is later than the change
    if (kept !== undefined && changedAt !== undefined)
      requestSession!.responseCookies.writeDevice({ id: userId }, changedAt + 1);
    return ended;
  }

  async accountDisabled(userId: string, client?: ClientInfo): Promise<{ readonly revokedSessions: number }> {
    await this.remembered.forgetAll(userId);
    return { revokedSessions: await this.lifecycle.revokeAll(userId, 'account_disabled', client) };
  }

  async #endSessions(
    userId: string,
    requestSession: RequestSession | undefined,
    kept: Session | undefined,
  ): Promise<{ readonly revokedSessions: number }> {
    const client = requestSession?.exchange.client;
    const reason = 'credentials_changed';
    if (requestSession === undefined || kept === undefined) {
      await this.remembered.forgetAll(userId);
      return { revokedSessions: await this.lifecycle.revokeAll(userId, reason, client) };
    }
    const forget = async (): Promise<void> => {
      // before all the user's tokens are deleted: a replaced token is a sign of theft
      await requestSession.forgetDevice({ reason, exceptSessionId: kept.id });
      await this.remembered.forgetAll(userId);
    };
    // at once: a form that was sent twice may be proved again with the new password, which this would take back
    const [issued] = await Promise.all([this.rotation.credentialsChanged(kept, client), forget()]);
    if (issued !== undefined) requestSession.replace(issued);
    const revokedSessions = await this.lifecycle.revokeOthers(userId, kept.id, reason, client);
    // another request has rotated it meanwhile, possibly a thief's, so everybody must log in again
    if (issued === undefined) await this.#endSuperseded(requestSession, userId, kept.id);
    return { revokedSessions };
  }

  async #endSuperseded(requestSession: RequestSession, userId: string, sessionId: string): Promise<never> {
    await this.lifecycle.revoke(userId, sessionId, 'credentials_changed', requestSession.exchange.client);
    requestSession.clear();
    throw new SessionAuthError('session_required', 'another request replaced the session: sign in again');
  }
}
