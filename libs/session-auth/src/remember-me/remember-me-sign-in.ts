import { Inject, Injectable, Optional } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { KeyRing } from '../crypto/key-ring.js';
import { issueHandle } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { SessionChanges } from '../session/session-changes.js';
import type { IssuedSession } from '../session/session-rotation.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client.js';
import { SessionUserProvider, type SessionUser } from '../users/session-user-provider.js';
import { findUser } from '../users/valid-user.js';
import { isRecordOf, RememberMeRevocation } from './remember-me-revocation.js';
import { isShared, replacedSession, standingOf, withSuccessor } from './remember-me-succession.js';
import { DEFAULT_REMEMBER_ME, REMEMBER_ME_SETTINGS, type RememberMeSettings } from './remember-me.options.js';
import {
  RememberMeTokenStore,
  type RememberMeReplaceOutcome,
  type RememberMeSuccessor,
  type RememberMeTokenRecord,
} from './remember-me-token-store.js';
import {
  formatRememberMeToken,
  issueNonce,
  parseRememberMeToken,
  rememberedSessionToken,
  successorOf,
  validatorDigest,
  type RememberMeToken,
} from './remember-me-token.js';

/** The client that presents a token, with the fields that its session needs. */
export interface RememberedClient {
  readonly client?: ClientInfo;
  /** The client's fingerprint that the session is bound to, when the fingerprint check is on. */
  readonly fingerprint?: string;
  /** Keyed digest of the device, if known. */
  readonly device?: string;
  /** The mark of the device's user, if known: a record of another user is refused. */
  readonly userMark?: Uint8Array;
}

/** The outcome of presenting a token. */
export type RememberMeSignInOutcome =
  | {
      readonly status: 'signed-in';
      readonly record: RememberMeTokenRecord;
      /** The token that the client presents from now on. */
      readonly token: string;
      readonly session: IssuedSession;
      /** Do not send token and session to the client after this time: it may have newer ones by then. */
      readonly until: number;
    }
  /**
   * The token signs nobody in now, and the client keeps it: the account is at its limit, or the successor is on the
   * way.
   */
  | { readonly status: 'unused' }
  /** The token was stolen, and the theft has been handled. Returned to one caller only. */
  | { readonly status: 'theft'; readonly userId: string }
  /** Malformed, unknown, expired or revoked: all look the same. */
  | { readonly status: 'refused' };

/** The record after a successor was issued, or found to be shared. */
type HandedOut = RememberMeReplaceOutcome | { readonly status: 'shared'; readonly record: RememberMeTokenRecord };

/** At the limit, or late: the session has another token, which the client already holds. */
const SIGNS_NOBODY_IN = ['session_limit_reached', 'session_required'];

/** If other requests change the record at every attempt, it never settles. */
const MAX_LOOKS = 5;

const REFUSED = { status: 'refused' } as const;
const UNUSED = { status: 'unused' } as const;

/** Signs devices in by their remember-me tokens. The rules are in remember-me-succession.ts. */
@Injectable()
export class RememberMeSignIn {
  /** One for each secret, newest first. */
  readonly #keys: readonly Buffer[];

  constructor(
    private readonly store: RememberMeTokenStore,
    private readonly revocation: RememberMeRevocation,
    private readonly changes: SessionChanges,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    private readonly deadline: StoreDeadline,
    keys: KeyRing,
    @Inject(REMEMBER_ME_SETTINGS) private readonly settings: RememberMeSettings = DEFAULT_REMEMBER_ME,
    @Optional() private readonly users?: SessionUserProvider,
  ) {
    this.#keys = keys.deriveKeys('remember-me');
  }

  /**
   * Signs in the device that holds a token. A malformed token costs no store call.
   *
   * @throws SessionAuthError `not_configured` without `users`
   */
  async signIn(text: string, from: RememberedClient): Promise<RememberMeSignInOutcome> {
    const presented = parseRememberMeToken(text);
    if (presented === undefined) return REFUSED;
    const { users } = this;
    if (users === undefined) throw new SessionAuthError('not_configured', 'a remembered device needs the option users');
    let user: SessionUser | undefined;
    let record = await this.#find(presented);
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      if (record === undefined) return REFUSED;
      if (!isRecordOf(record, presented.selector, from.userMark)) {
        this.events.publish({ type: 'session.corrupt_record', client: from.client });
        return REFUSED;
      }
      const standing = standingOf(record, validatorDigest(presented.validator), this.clock.now());
      if (standing === 'in-flight') return UNUSED;
      if (standing === 'replaced') {
        const theft = await this.#answerTheft(record, from, record.revision ?? 0);
        if (theft !== undefined) return theft;
        record = await this.#find(presented);
        continue;
      }
      // before anything changes, so that the client can repeat the request if the look-up fails
      user ??= await findUser(users, record.userId);
      if (user === undefined) {
        await this.revocation.forgetAll(record.userId);
        return REFUSED;
      }
      const handedOut = await this.#handOut(presented, record, standing);
      if (handedOut.status === 'absent') return REFUSED;
      if (handedOut.status !== 'changed') return this.#createSession(presented, handedOut, user, from);
      record = handedOut.record;
    }
    return UNUSED;
  }

  /** Issues a successor, unless the present successor is shared. */
  #handOut(
    presented: RememberMeToken,
    record: RememberMeTokenRecord,
    standing: 'present' | 'successor',
  ): Promise<HandedOut> {
    const { lifetime, sliding, reuseGrace } = this.settings;
    const now = this.clock.now();
    if (standing === 'present' && isShared(record, now, reuseGrace))
      return Promise.resolve({ status: 'shared', record });
    const nonce = issueNonce();
    const changes = withSuccessor(record, standing, {
      digest: validatorDigest(successorOf(presented, nonce, this.#keys[0]!)),
      nonce,
      sessionId: issueHandle(),
      now,
      reuseGrace,
      expiresAt: sliding ? now + lifetime : undefined,
    });
    return this.#call((store) => store.replace(presented.selector, { revision: record.revision ?? 0, now, changes }));
  }

  /** Returns the session of the present successor. The first request makes it. */
  async #createSession(
    presented: RememberMeToken,
    { status, record }: Extract<HandedOut, { readonly status: 'replaced' | 'shared' }>,
    user: SessionUser,
    from: RememberedClient,
  ): Promise<RememberMeSignInOutcome> {
    const { client, fingerprint, device } = from;
    const successor = record.successor!;
    const tokens = this.#tokensOf(presented, record, successor);
    // only a node with a newer key can derive what it has issued
    if (tokens === undefined) return UNUSED;
    let session: IssuedSession | undefined;
    try {
      session = await this.changes.createUnlessInUse({
        user,
        authentication: 'remember-me',
        authenticatedAt: record.createdAt,
        client,
        fingerprint,
        device,
        newDevice: false,
        token: tokens.session,
        replaces: replacedSession(record),
      });
    } catch (error) {
      if (error instanceof SessionAuthError && SIGNS_NOBODY_IN.includes(error.code)) return UNUSED;
      throw error;
    }
    // the response seemed lost, but somebody used its session
    if (session === undefined) return (await this.#answerTheft(record, from)) ?? REFUSED;
    const settled = await this.#settle(record, successor);
    if (settled?.sessionId !== successor.sessionId) {
      // a request that revoked the token, or issued another successor, did not see this session
      await this.changes.destroySession(session.session, settled === undefined ? 'revoked' : 'replaced', client);
      return settled === undefined ? REFUSED : UNUSED;
    }
    const { userId, id: tokenId } = record;
    if (status === 'replaced') this.events.publish({ type: 'remember_me.used', userId, tokenId, client });
    const grace = this.settings.reuseGrace || DEFAULT_REMEMBER_ME.reuseGrace;
    return { status: 'signed-in', record: settled, token: tokens.rememberMe, session, until: successor.at + grace };
  }

  /** Derives the tokens of a hand-out again, with the key of the ring that made it. */
  #tokensOf(
    presented: RememberMeToken,
    { userId }: RememberMeTokenRecord,
    { digest, nonce, sessionId: handle }: RememberMeSuccessor,
  ): { readonly rememberMe: string; readonly session: string } | undefined {
    for (const key of this.#keys) {
      const validator = successorOf(presented, nonce, key);
      if (validatorDigest(validator) !== digest) continue;
      const rememberMe = formatRememberMeToken({ ...presented, validator });
      return { rememberMe, session: rememberedSessionToken(presented, nonce, key, { userId, handle }) };
    }
    return undefined;
  }

  /**
   * Records that the successor's session is now the device's session. Returns the new record. Its session is another
   * one if another successor was issued meanwhile. Undefined if the token was revoked.
   */
  async #settle(
    record: RememberMeTokenRecord,
    { sessionId }: RememberMeSuccessor,
  ): Promise<RememberMeTokenRecord | undefined> {
    let present = record.sessionId === sessionId ? await this.#find(record) : record;
    for (let look = 0; look < MAX_LOOKS && isOut(present, sessionId); look += 1) {
      const replacement = { revision: present.revision ?? 0, now: this.clock.now(), changes: { sessionId } };
      const outcome = await this.#call((store) => store.replace(record.selector, replacement));
      present = outcome.status === 'absent' ? undefined : outcome.record;
    }
    return present;
  }

  /**
   * Removes the record of a stolen token and handles the theft. Undefined if another call did.
   *
   * @param revision of the record that was judged; undefined: any revision
   */
  async #answerTheft(
    { selector, userId }: RememberMeTokenRecord,
    { client }: RememberedClient,
    revision?: number,
  ): Promise<RememberMeSignInOutcome | undefined> {
    const stolen = await this.#call((store) => store.delete(selector, this.clock.now(), revision));
    if (stolen === undefined) return undefined;
    await this.revocation.answerTheft(stolen, client);
    return { status: 'theft', userId };
  }

  #find({ selector }: { readonly selector: string }): Promise<RememberMeTokenRecord | undefined> {
    return this.#call((store) => store.find(selector, this.clock.now()));
  }

  #call<T>(operation: (store: RememberMeTokenStore) => Promise<T>): Promise<T> {
    return this.deadline.run(() => operation(this.store));
  }
}

/** Whether a successor is out whose session is not yet the device's session. */
function isOut(record: RememberMeTokenRecord | undefined, sessionId: string): record is RememberMeTokenRecord {
  return record?.successor?.sessionId === sessionId && record.sessionId !== sessionId;
}
