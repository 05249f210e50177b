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

/** Who presents a token, as far as their session is to know it. */
export interface RememberedClient {
  readonly client?: ClientInfo;
  /** What the session is bound to of its client, where the fingerprint check is on. */
  readonly fingerprint?: string;
  /** Keyed digest of the device, where that is known. */
  readonly device?: string;
  /** The mark of the device's user, where it is known: a store that returns another's record is not believed. */
  readonly userMark?: Uint8Array;
}

/** What presenting a token came to. */
export type RememberMeSignInOutcome =
  | {
      readonly status: 'signed-in';
      readonly record: RememberMeTokenRecord;
      /** What the client is to present from now on. */
      readonly token: string;
      readonly session: IssuedSession;
      /** The client must not be given token and session later than this: it may have got newer ones by then. */
      readonly until: number;
    }
  /** Signs nobody in, and stays with the client: the account is at its limit, or its successor is on the way. */
  | { readonly status: 'unused' }
  /** The token was stolen, and that has been dealt with. Told to one caller only. */
  | { readonly status: 'theft'; readonly userId: string }
  /** Malformed, unknown, expired or revoked: all alike. */
  | { readonly status: 'refused' };

/** What a record came to when a successor was handed out, or found to be shared. */
type HandedOut = RememberMeReplaceOutcome | { readonly status: 'shared'; readonly record: RememberMeTokenRecord };

/** At the limit, or late: the session has been given another token, which the client holds by now. */
const SIGNS_NOBODY_IN = ['session_limit_reached', 'session_required'];

/** A record that others change at each look never settles. */
const MAX_LOOKS = 5;

const REFUSED = { status: 'refused' } as const;
const UNUSED = { status: 'unused' } as const;

/** Signs devices in by their remember-me tokens. remember-me-succession.ts tells what a token is worth. */
@Injectable()
export class RememberMeSignIn {
  /** One a secret, newest first. */
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
   * Signs in the device that holds a token. What does not have a token's form costs no store call.
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
      // before anything changes: where the look-up fails, the client simply comes again
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

  /** Hands a successor out, unless the one that is out is shared. */
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

  /** The session that goes with the successor that is out, made by the first who gets there. */
  async #createSession(
    presented: RememberMeToken,
    { status, record }: Extract<HandedOut, { readonly status: 'replaced' | 'shared' }>,
    user: SessionUser,
    from: RememberedClient,
  ): Promise<RememberMeSignInOutcome> {
    const { client, fingerprint, device } = from;
    const successor = record.successor!;
    const tokens = this.#tokensOf(presented, record, successor);
    // only a node with a newer key can tell what it has handed out
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
    // the answer was thought lost, but somebody went on with it
    if (session === undefined) return (await this.#answerTheft(record, from)) ?? REFUSED;
    const settled = await this.#settle(record, successor);
    if (settled?.sessionId !== successor.sessionId) {
      // whoever revoked the token, or handed out another successor, did not see this session
      await this.changes.destroySession(session.session, settled === undefined ? 'revoked' : 'replaced', client);
      return settled === undefined ? REFUSED : UNUSED;
    }
    const { userId, id: tokenId } = record;
    if (status === 'replaced') this.events.publish({ type: 'remember_me.used', userId, tokenId, client });
    const grace = this.settings.reuseGrace || DEFAULT_REMEMBER_ME.reuseGrace;
    return { status: 'signed-in', record: settled, token: tokens.rememberMe, session, until: successor.at + grace };
  }

  /** The tokens of a hand-out, worked out again under whichever of the ring's keys it was made. */
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
   * Notes that the session of a successor is the device's by now. Returns the record as it is then, whose session is
   * another one where another successor was handed out meanwhile; undefined where the token was revoked.
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
   * Removes the record of a stolen token and deals with the theft. Undefined where another call did.
   *
   * @param revision of the record that was judged; undefined: whatever has become of it
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

/** Whether a successor is out whose session is not the device's yet. */
function isOut(record: RememberMeTokenRecord | undefined, sessionId: string): record is RememberMeTokenRecord {
  return record?.successor?.sessionId === sessionId && record.sessionId !== sessionId;
}
