import { Inject, Injectable } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEndReason } from '../events/session-event.js';
import { SessionReader } from '../session/session-reader.js';
import { Session } from '../session/session.js';
import { markOfUser } from '../crypto/session-token.js';
import { UserSessions } from '../session/user-sessions.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client.js';
import { MAX_USE_OF_LOST_SESSION, sessionOfLostAnswer, sessionsOf, standingOf } from './remember-me-succession.js';
import { DEFAULT_REMEMBER_ME, REMEMBER_ME_SETTINGS, type RememberMeSettings } from './remember-me.options.js';
import { hasSoundTimes, RememberMeTokenStore, type RememberMeTokenRecord } from './remember-me-token-store.js';
import { parseRememberMeToken, validatorDigest } from './remember-me-token.js';

/** The options for forgetting a device by its token. */
export interface ForgetDevice {
  /** Why the session that the device started ends. @default 'revoked' */
  readonly reason?: SessionEndReason;
  /** The handle of a session that must not end: it has ended already, or a login has just renewed it. */
  readonly exceptSessionId?: string;
  readonly client?: ClientInfo;
}

/** Revokes remember-me tokens, and handles stolen ones. */
@Injectable()
export class RememberMeRevocation {
  constructor(
    private readonly store: RememberMeTokenStore,
    private readonly reader: SessionReader,
    private readonly ofUsers: UserSessions,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    private readonly deadline: StoreDeadline,
    @Inject(REMEMBER_ME_SETTINGS) private readonly settings: RememberMeSettings = DEFAULT_REMEMBER_ME,
  ) {}

  /**
   * Forgets the device that holds a token, and ends the session that it started. A replaced token comes from a thief or
   * the victim of one, and is handled like any use of it. Returns whether there was a device.
   *
   * @param userMark the mark of the device's user, if known: a record of another user is refused
   */
  async forget(
    text: string,
    { reason = 'revoked', exceptSessionId, client }: ForgetDevice,
    userMark?: Uint8Array,
  ): Promise<boolean> {
    const token = parseRememberMeToken(text);
    if (token === undefined) return false;
    const { selector, validator } = token;
    // if several requests present a token at once, one gets the record and decides for all
    const record = await this.deadline.run(() => this.store.delete(selector, this.clock.now()));
    if (record === undefined) return false;
    if (!isRecordOf(record, selector, userMark)) {
      this.events.publish({ type: 'session.corrupt_record', client });
      return false;
    }
    if (await this.#isStolen(record, validatorDigest(validator), exceptSessionId)) {
      await this.answerTheft(record, client, exceptSessionId);
      return true;
    }
    const sessions = sessionsOf(record).filter((id) => id !== exceptSessionId);
    await Promise.all(sessions.map((id) => this.ofUsers.end(record.userId, id, reason, client)));
    return true;
  }

  /**
   * Handles a theft whose record has been removed: ends the user's tokens and, by `onTheft`, sessions, and publishes
   * one `remember_me.theft` event.
   *
   * @param exceptSessionId the handle of a session that continues: its user has just proved their identity
   */
  async answerTheft(
    { userId, id: tokenId }: RememberMeTokenRecord,
    client: ClientInfo | undefined,
    exceptSessionId?: string,
  ): Promise<void> {
    const revokedTokens = 1 + (await this.forgetAll(userId));
    const endsSessions = this.settings.onTheft === 'revoke-tokens-and-sessions';
    const reason = 'remember_me_theft';
    const revokedSessions = endsSessions ? await this.ofUsers.revokeAll(userId, exceptSessionId, reason, client) : 0;
    this.events.publish({ type: 'remember_me.theft', userId, tokenId, revokedTokens, revokedSessions, client });
  }

  /** Forgets all devices of a user, except the one of a session to keep. Returns how many were forgotten. */
  forgetAll(userId: string, keepSessionId?: string): Promise<number> {
    return this.deadline.run(() => this.store.deleteByUser(userId, keepSessionId, this.clock.now()));
  }

  async #isStolen(record: RememberMeTokenRecord, digest: string, ownSessionId?: string): Promise<boolean> {
    const standing = standingOf(record, digest, this.clock.now());
    if (standing !== 'present') return standing === 'replaced';
    // a response whose token was used did not get lost: somebody else has the successor
    const lost = sessionOfLostAnswer(record);
    if (lost === undefined || lost === ownSessionId) return false;
    const session = await this.reader.readByHandle(record.userId, lost, {});
    if (session === undefined) return false;
    const { lastActivityAt, createdAt } = Session.recordOf(session);
    return lastActivityAt - createdAt > MAX_USE_OF_LOST_SESSION;
  }
}

/** Whether the store returned the right record, and a valid one. */
export function isRecordOf(record: RememberMeTokenRecord, selector: string, userMark?: Uint8Array): boolean {
  if (record.selector !== selector || !hasSoundTimes(record)) return false;
  return userMark === undefined || markOfUser(record.userId).equals(userMark);
}
