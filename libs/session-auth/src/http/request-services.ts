import { Inject, Injectable, Optional } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { Fingerprint, type FingerprintMismatch } from '../fingerprint/fingerprint.js';
import { DEFAULT_REALM, REALM } from '../realms/realm-name.js';
import { SessionChanges } from '../session/session-changes.js';
import { SessionReader } from '../session/session-reader.js';
import { SessionRotation } from '../session/session-rotation.js';
import type { Session } from '../session/session.js';
import { UserSessions } from '../session/user-sessions.js';
import { SessionGuessing } from '../throttle/session-guessing.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client.js';
import { SessionUserProvider, type SessionUser } from '../users/session-user-provider.js';
import { findUser } from '../users/valid-user.js';
import { CookieSet } from './cookie-set.js';
import { HTTP_SETTINGS, type HttpSettings } from './http.options.js';
import { SessionResumer } from './session-resumer.js';

/** The services that read, check and replace the session of a request. All requests share them. */
@Injectable()
export class RequestServices {
  constructor(
    readonly cookies: CookieSet,
    readonly reader: SessionReader,
    readonly changes: SessionChanges,
    readonly rotation: SessionRotation,
    readonly ofUsers: UserSessions,
    readonly guessing: SessionGuessing,
    readonly clock: Clock,
    readonly events: SessionEventPublisher,
    @Inject(HTTP_SETTINGS) readonly http: HttpSettings,
    /** Absent when the check is off. */
    @Optional() readonly fingerprint?: Fingerprint,
    /** Absent when remember-me is off. */
    @Optional() readonly resumer?: SessionResumer,
    /** Absent when the application configured no `users`. */
    @Optional() readonly users?: SessionUserProvider,
    @Inject(REALM) readonly realm = DEFAULT_REALM,
  ) {}

  /** Services of the realm from folders above this one, by class. Set when the realm is registered. */
  above: ReadonlyMap<unknown, object> = new Map();

  /**
   * Reports a request for a session from a client that does not look like the session's own, unless that was reported
   * before.
   */
  reportMismatch({ id: sessionId, userId }: Session, mismatch: FingerprintMismatch, client: ClientInfo): void {
    if (this.fingerprint?.isNews(sessionId, mismatch) !== true) return;
    this.events.publish({ type: 'session.fingerprint_mismatch', sessionId, userId, ...mismatch, client });
  }

  /**
   * Returns the present user of a session. Returns undefined for a user who was deleted or disabled, and signs that
   * user out everywhere (ASVS 7.4.2).
   *
   * @throws SessionAuthError `not_configured` without `users`, `invalid_user` for an invalid result of `users`
   */
  async findUser(userId: string, client: ClientInfo): Promise<SessionUser | undefined> {
    if (this.users === undefined)
      throw new SessionAuthError('not_configured', 'SessionAuthModule was given no users provider');
    const user = await findUser(this.users, userId);
    if (user === undefined) await this.ofUsers.revokeAll(userId, undefined, 'account_disabled', client);
    return user;
  }
}
