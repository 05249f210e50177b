import { Inject, Injectable } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { BearerTokens } from '../crypto/bearer-tokens.js';
import { issueHandle } from '../crypto/session-token.js';
import { requireCompleteStore } from '../errors/require-complete-store.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { IssuedSession } from '../session/session-rotation.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionUserId } from '../users/session-user-provider.js';
import { userIdOf } from '../users/valid-user.js';
import { RememberMeRevocation, type ForgetDevice } from './remember-me-revocation.js';
import { RememberMeSignIn } from './remember-me-sign-in.js';
import { DEFAULT_REMEMBER_ME, REMEMBER_ME_SETTINGS, type RememberMeSettings } from './remember-me.options.js';
import { hasSoundTimes, RememberMeTokenStore, type RememberMeTokenRecord } from './remember-me-token-store.js';
import { formatRememberMeToken, issueRememberMeToken, validatorDigest } from './remember-me-token.js';

/** A device that stays signed in, as shown to its user. */
export interface RememberedDevice {
  /** The public handle. */
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
  readonly ip?: string;
  readonly userAgent?: string;
}

/** A remember-me token with its record: the only time the token is seen in clear text. */
export interface IssuedRememberMe {
  /** The client's secret, `selector:validator`: put it where only the client sees it. */
  readonly token: string;
  readonly device: RememberedDevice;
}

/** The outcome of {@link RememberMeService.signIn}. */
export type RememberMeOutcome =
  | {
      readonly status: 'signed-in';
      readonly device: RememberedDevice;
      /** The token that the client presents from now on. */
      readonly token: string;
      readonly session: IssuedSession;
      /** Do not send token and session to the client after this time: it may have newer ones by then. */
      readonly until: Date;
    }
  /**
   * The token signs nobody in now, and the client keeps it: the account is at its limit, or the successor is on the
   * way.
   */
  | { readonly status: 'unused' }
  /** The token was stolen: the user's tokens (and, by `onTheft`, sessions) have ended. Returned to one caller only. */
  | { readonly status: 'theft'; readonly userId: string }
  /** Malformed, unknown, expired or revoked: all look the same. */
  | { readonly status: 'refused' };

/** The most remembered devices of one user; beyond that the oldest is forgotten. */
export const MAX_REMEMBERED_DEVICES = 100;

const OPERATIONS = {
  create: true,
  find: true,
  replace: true,
  delete: true,
  deleteById: true,
  deleteBySession: true,
  deleteByUser: true,
  list: true,
  deleteExpired: true,
} satisfies Record<Exclude<keyof RememberMeTokenStore, 'ofRealm' | 'deleteByRealm'>, true>;

/**
 * Remember-me tokens, without HTTP: issues, uses, lists and revokes them.
 *
 * A token is used once: the client that presents it gets its successor. Because the response may be lost, the token
 * works until the successor is presented. After that, it can come only from a thief or from the victim of one, and all
 * the user's tokens are revoked (design of Barry Jaspan; ASVS 6.5.1).
 *
 * Every method rejects with `session_store_unavailable` when the store fails or takes longer than `storeTimeout`, and
 * with `invalid_user` for an invalid id.
 */
@Injectable()
export class RememberMeService {
  constructor(
    private readonly store: RememberMeTokenStore,
    private readonly signIns: RememberMeSignIn,
    private readonly revocation: RememberMeRevocation,
    private readonly bearerTokens: BearerTokens,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    private readonly deadline: StoreDeadline,
    // when remember-me is off, no request is signed in by it, but an application may still use this service
    @Inject(REMEMBER_ME_SETTINGS) private readonly settings: RememberMeSettings = DEFAULT_REMEMBER_ME,
  ) {
    requireCompleteStore(store, 'storage.rememberMe', 'RememberMeTokenStore', OPERATIONS);
  }

  /** Remembers a device of a user. `sessionId` is the handle of its present session. */
  async issue(id: SessionUserId, sessionId: string, client?: ClientInfo): Promise<IssuedRememberMe> {
    const userId = userIdOf(id);
    const { settings, clock, events } = this;
    const token = issueRememberMeToken(userId);
    const now = clock.now();
    const record: RememberMeTokenRecord = {
      selector: token.selector,
      id: issueHandle(),
      userId,
      validatorDigest: validatorDigest(token.validator),
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now + settings.lifetime,
      sessionId,
      ip: client?.ip,
      userAgent: client?.userAgent,
    };
    await this.#call((store) => store.create(record, MAX_REMEMBERED_DEVICES, now));
    events.publish({ type: 'remember_me.issued', userId, tokenId: record.id, client });
    return { token: formatRememberMeToken(token), device: toDevice(record) };
  }

  /**
   * Signs a device in by its token. It gets a new session, which replaces the one that it had. All clients that present
   * one token within `reuseGrace` get the same session and successor. A malformed token costs no store call.
   *
   * A theft is handled before this resolves: the user's tokens and, by `onTheft`, sessions have ended, and one
   * `remember_me.theft` event is published.
   *
   * @throws SessionAuthError `not_configured` without the option `users`
   */
  async signIn(text: string, client?: ClientInfo): Promise<RememberMeOutcome> {
    const outcome = await this.signIns.signIn(text, { client });
    if (outcome.status !== 'signed-in') return outcome;
    const { status, record, token, until } = outcome;
    const session = { ...outcome.session, token: this.bearerTokens.write(outcome.session.token) };
    return { status, device: toDevice(record), token, session, until: new Date(until) };
  }

  /** The remembered devices of a user, newest first. */
  async list(userId: SessionUserId): Promise<RememberedDevice[]> {
    const owner = userIdOf(userId);
    const records = await this.#call((store) => store.list(owner, this.clock.now()));
    const sound = records.filter(hasSoundTimes);
    if (sound.length < records.length) this.events.publish({ type: 'session.corrupt_record' });
    return sound.map(toDevice);
  }

  /**
   * Forgets the device that holds a token, and ends the session that it started. A replaced token is handled as stolen.
   * Does nothing when there is no such device. Returns whether there was one.
   */
  async revokeToken(text: string, how: ForgetDevice = {}): Promise<boolean> {
    return this.revocation.forget(text, how);
  }

  /** Forgets one device of a user by its handle. Returns false when the user has no such device. */
  async revoke(userId: SessionUserId, id: string): Promise<boolean> {
    const owner = userIdOf(userId);
    return this.#call((store) => store.deleteById(owner, id, this.clock.now()));
  }

  /** Forgets all devices of a user, except the one of a session to keep. Returns how many were forgotten. */
  async revokeAll(userId: SessionUserId, keepSessionId?: string): Promise<number> {
    return this.revocation.forgetAll(userIdOf(userId), keepSessionId);
  }

  #call<T>(operation: (store: RememberMeTokenStore) => Promise<T>): Promise<T> {
    return this.deadline.run(() => operation(this.store));
  }
}

function toDevice(record: RememberMeTokenRecord): RememberedDevice {
  return {
    id: record.id,
    userId: record.userId,
    createdAt: new Date(record.createdAt),
    lastUsedAt: new Date(record.lastUsedAt),
    expiresAt: new Date(record.expiresAt),
    ip: record.ip,
    userAgent: record.userAgent,
  };
}
