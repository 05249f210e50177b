import { Inject, Injectable } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { KeyRing } from '../crypto/key-ring.js';
import { issueHandle } from '../crypto/session-token.js';
import { requireCompleteStore } from '../errors/require-complete-store.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client-info.js';
import { DEFAULT_REMEMBER_ME, REMEMBER_ME_SETTINGS, type RememberMeSettings } from './remember-me.options.js';
import { RememberMeTokenStore, type RememberMeTokenRecord } from './remember-me-token-store.js';
import {
  formatRememberMeToken,
  issueRememberMeToken,
  parseRememberMeToken,
  rememberedSessionToken,
  successorOf,
  validatorDigest,
  type RememberMeToken,
} from './remember-me-token.js';

/** A device that stays signed in, as its user may see it. */
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

/** A remember-me token with the record it stands for: the only time the token is seen in clear. */
export interface IssuedRememberMe {
  /** The client's secret, `selector:validator`: put it where only the client sees it. */
  readonly token: string;
  readonly device: RememberedDevice;
}

/** What {@link RememberMeService.consume} found. */
export type RememberMeConsumption =
  | {
      readonly status: 'remembered';
      readonly device: RememberedDevice;
      /** What the client is to present from now on; undefined when only another node can tell. */
      readonly token: string | undefined;
      /**
       * Token and handle of the session to make: the same for all who present this token within its grace. Undefined
       * together with `token`.
       */
      readonly session: { readonly token: string; readonly id: string } | undefined;
    }
  /** The token was stolen: the user's tokens (and, by `onTheft`, sessions) are gone. Told to one caller only. */
  | { readonly status: 'theft'; readonly userId: string }
  /** Malformed, unknown, expired or revoked: all alike. */
  | { readonly status: 'refused' };

/** The most devices of one user that are remembered; beyond it the oldest is forgotten. */
export const MAX_REMEMBERED_DEVICES = 100;

const OPERATIONS = {
  create: true,
  use: true,
  delete: true,
  deleteById: true,
  deleteBySession: true,
  deleteByUser: true,
  list: true,
  deleteExpired: true,
} satisfies Record<keyof RememberMeTokenStore, true>;

/**
 * Remember-me tokens, without HTTP: issue, consume, list, revoke.
 *
 * A token is used once: each use replaces the validator. The one before is honoured for `reuseGrace`, so that tabs
 * that start together and a client that lost an answer go on; after that it can only come from a thief, or from the
 * victim of one, and all the user's tokens die (design of Barry Jaspan; ASVS 6.5.1).
 *
 * Every method rejects with `session_store_unavailable` when the store fails or takes longer than `storeTimeout`.
 */
@Injectable()
export class RememberMeService {
  /** One a secret, newest first. */
  readonly #keys: readonly Buffer[];

  constructor(
    private readonly store: RememberMeTokenStore,
    private readonly lifecycle: SessionLifecycleService,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    private readonly deadline: StoreDeadline,
    keys: KeyRing,
    // where remember-me is off, no request is signed in by it, but an application may still use this service
    @Inject(REMEMBER_ME_SETTINGS) private readonly settings: RememberMeSettings = DEFAULT_REMEMBER_ME,
  ) {
    requireCompleteStore(store, 'storage.rememberMe', 'RememberMeTokenStore', OPERATIONS);
    this.#keys = keys.deriveKeys('remember-me');
  }

  /** Remembers a device of a user. `sessionId` is the handle of the session it is signed in by now. */
  async issue(userId: string, sessionId: string, client?: ClientInfo): Promise<IssuedRememberMe> {
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
   * Uses a token. What does not have a token's form costs no store call.
   *
   * A theft is dealt with before this resolves: tokens and, by `onTheft`, sessions of the user are gone, and one
   * `remember_me.theft` event is out.
   */
  async consume(text: string, client?: ClientInfo): Promise<RememberMeConsumption> {
    const presented = parseRememberMeToken(text);
    if (presented === undefined) return { status: 'refused' };
    const { settings, clock, events } = this;
    const now = clock.now();
    const successor = successorOf(presented, this.#keys[0]!);
    const outcome = await this.#call((store) =>
      store.use(presented.selector, {
        presented: validatorDigest(presented.validator),
        successor: validatorDigest(successor),
        now,
        reuseGrace: settings.reuseGrace,
        sessionId: issueHandle(),
        expiresAt: settings.sliding ? now + settings.lifetime : undefined,
      }),
    );
    if (outcome.status === 'absent') return { status: 'refused' };
    const { record } = outcome;
    if (outcome.status === 'theft') {
      await this.#answerTheft(record, client);
      return { status: 'theft', userId: record.userId };
    }
    if (outcome.status === 'used') {
      events.publish({ type: 'remember_me.used', userId: record.userId, tokenId: record.id, client });
    }
    const last = findReplacement(presented, outcome.status === 'used' ? 1 : outcome.replaced, record, this.#keys);
    return {
      status: 'remembered',
      device: toDevice(record),
      token: last && formatRememberMeToken(last.successor),
      session: last && { token: rememberedSessionToken(last.used, record.userId, last.key), id: record.sessionId },
    };
  }

  /** Whether a token's record is still there: whether nobody has revoked it meanwhile. */
  async isRemembered(userId: string, id: string): Promise<boolean> {
    return (await this.list(userId)).some((device) => device.id === id);
  }

  /** The remembered devices of a user, newest first. */
  async list(userId: string): Promise<RememberedDevice[]> {
    const records = await this.#call((store) => store.list(userId, this.clock.now()));
    return records.map(toDevice);
  }

  /** Forgets the device that holds a token, whichever of its validators that has. Harmless when there is none. */
  async revokeToken(text: string): Promise<boolean> {
    const token = parseRememberMeToken(text);
    if (token === undefined) return false;
    return (await this.#call((store) => store.delete(token.selector, this.clock.now()))) !== undefined;
  }

  /** Forgets one device of a user by its handle. Answers false when the user has none such. */
  async revoke(userId: string, id: string): Promise<boolean> {
    return this.#call((store) => store.deleteById(userId, id, this.clock.now()));
  }

  /** Forgets all devices of a user, but the one of a session to keep. Answers how many. */
  async revokeAll(userId: string, keepSessionId?: string): Promise<number> {
    return this.#call((store) => store.deleteByUser(userId, keepSessionId, this.clock.now()));
  }

  async #answerTheft(record: RememberMeTokenRecord, client: ClientInfo | undefined): Promise<void> {
    const { userId } = record;
    const revokedTokens = 1 + (await this.revokeAll(userId));
    const endsSessions = this.settings.onTheft === 'revoke-tokens-and-sessions';
    const revokedSessions = endsSessions ? await this.lifecycle.revokeAll(userId, 'remember_me_theft', client) : 0;
    this.events.publish({
      type: 'remember_me.theft',
      userId,
      tokenId: record.id,
      revokedTokens,
      revokedSessions,
      client,
    });
  }

  #call<T>(operation: (store: RememberMeTokenStore) => Promise<T>): Promise<T> {
    return this.deadline.run(() => operation(this.store));
  }
}

interface Replacement {
  readonly used: RememberMeToken;
  readonly key: Uint8Array;
  readonly successor: RememberMeToken;
}

/**
 * The latest replacement in the chain that began with a presented token, worked out again, under whichever of the
 * ring's keys each step was made. Undefined when another node has a newer key than this one.
 */
function findReplacement(
  presented: RememberMeToken,
  replacements: number,
  { validatorDigest: digest }: RememberMeTokenRecord,
  keys: readonly Uint8Array[],
): Replacement | undefined {
  let steps = replace(presented, keys);
  // a chain this long does not come of tabs that start together
  for (let i = 1; i < replacements && steps.length <= 256; i += 1) {
    steps = steps.flatMap(({ successor }) => replace(successor, keys));
  }
  return steps.find(({ successor }) => validatorDigest(successor.validator) === digest);
}

function replace(used: RememberMeToken, keys: readonly Uint8Array[]): Replacement[] {
  return keys.map((key) => ({ used, key, successor: { ...used, validator: successorOf(used, key) } }));
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
