import type { ClientInfo } from '../users/client.js';
import type { SessionAuthentication } from '../users/session-authentication.js';

/** Why a session was ended before its time. */
export type SessionEndReason =
  /** The user logged out. */
  | 'logout'
  /** Ended from the user's list of sessions, or by an administrator. */
  | 'revoked'
  /** Another user logged in over it, an anonymous session became a user's, or its device signed in again. */
  | 'replaced'
  /** The account was disabled or deleted. */
  | 'account_disabled'
  /** Password or other credentials changed. */
  | 'credentials_changed'
  /** The session at the identity provider that started it has ended. */
  | 'upstream_logout'
  /** The limit was lowered and this session was above it. */
  | 'limit_lowered'
  /** The client no longer looks like the one that logged in. */
  | 'fingerprint_mismatch'
  /** A stolen remember-me token of the user showed up. */
  | 'remember_me_theft'
  /** One of its replaced tokens was used again, and `lifetime.onReuse` is `end-session`. */
  | 'token_reused';

/** Why a session got a new token. */
export type RotationReason =
  | 'login'
  | 'reauthentication'
  | 'factor_completed'
  | 'interval'
  | 'roles_changed'
  | 'credentials_changed'
  | 'requested';

/** Why a login failed. For the audit log only; the client never learns it. */
export type LoginFailure = 'unknown_user' | 'wrong_password' | 'account_disabled';

/** Which of the login throttle's counters was full. */
export type LoginThrottleScope =
  /** This account from this address, or from this device. */
  | 'account_and_client'
  /** This address, for all accounts together. */
  | 'address'
  /** This account, from addresses and devices that it has not been signed in from before. */
  | 'account'
  /** Passwords waiting to be checked: too many from this address, or in total. */
  | 'waiting';

/** Why a request was refused as forged. For the audit log only; the client never learns it. */
export type CsrfRejection =
  /** `Origin`, or `Referer` if there is no `Origin`, names neither the application nor a trusted origin. */
  | 'untrusted_origin'
  /** `Sec-Fetch-Site` says that another site made the browser send it. */
  | 'cross_site'
  | 'no_token'
  /** The request has a token, but no genuine cookie that the token could be bound to. */
  | 'no_cookie'
  /** The token belongs to another session, or is not a token at all. */
  | 'wrong_token';

interface EventFields {
  /** The realm of the event. */
  readonly realm: string;
  /** When it happened, by the library's clock. */
  readonly at: Date;
  readonly client?: ClientInfo;
  /**
   * In the audit log only: the record stands for this many events of the type, by this client and for this user or
   * session, since the previous record. It shows the last of them. Floods are aggregated for a minute each. Absent: one
   * event.
   */
  readonly repeated?: number;
}

interface SessionEventFields extends EventFields {
  /** The session's public handle: never a token or digest. */
  readonly sessionId: string;
  /** Absent for an anonymous session. */
  readonly userId?: string;
}

interface RememberMeEventFields extends EventFields {
  readonly userId: string;
  /** The remembered device's public handle: never selector or validator. */
  readonly tokenId: string;
}

/** All events of the library, by `type`. An event never holds a token, a digest, a password or session data. */
export type SessionEvent =
  | (SessionEventFields & {
      readonly type: 'session.created';
      readonly authentication?: SessionAuthentication;
      /** Whether this is the user's first login from this device. Absent when not known. */
      readonly newDevice?: boolean;
    })
  /** A login was refused: the account is at its limit and the policy is `reject`. */
  | (EventFields & { readonly type: 'session.limit_reached'; readonly userId: string })
  | (SessionEventFields & {
      readonly type: 'session.rotated';
      readonly reason: RotationReason;
      /** The further factor that was proved, if that is the reason. */
      readonly factor?: string;
    })
  | (SessionEventFields & { readonly type: 'session.destroyed'; readonly reason: SessionEndReason })
  | (SessionEventFields & { readonly type: 'session.evicted' })
  | (SessionEventFields & { readonly type: 'session.expired' })
  /** All sessions of the realm were ended: one event for all of them, without a `session.destroyed` for each. */
  | (EventFields & {
      readonly type: 'session.all_ended';
      /** Only sessions that began before this time. Absent: all sessions. */
      readonly createdBefore?: Date;
      /** Whether remembered devices stay remembered. Otherwise they were forgotten, by the same time. */
      readonly keepDevices: boolean;
    })
  /** A genuine cookie of a session that has ended: replayed after logout, revocation, eviction or expiry. */
  | (EventFields & {
      readonly type: 'session.used_after_end';
      /** The handle of the ended session. */
      readonly sessionId?: string;
    })
  /**
   * A genuine token was used that had been replaced before: two clients hold tokens of the session, and one of them is
   * a thief.
   */
  | (SessionEventFields & { readonly type: 'session.token_reused' })
  /**
   * One network sent many different session cookies that were not issued here, within ten minutes. All were refused.
   * There is no event for each single one.
   */
  | (EventFields & {
      readonly type: 'session.guessing_suspected';
      /** How many cookies were refused before this event. */
      readonly refused: number;
    })
  /**
   * A request had several of the library's cookies with one name, from different domains or paths. They were all
   * refused, and the response cleared them. Nothing ended in the store.
   */
  | (EventFields & { readonly type: 'session.ambiguous_cookie'; readonly cookie: 'session' | 'remember-me' })
  /** A stored record could not be read. For the client there is no session. */
  | (EventFields & { readonly type: 'session.corrupt_record' })
  /** The client does not look like the one that logged in. */
  | (SessionEventFields & {
      readonly type: 'session.fingerprint_mismatch';
      /** The headers that differ, and `custom` for the application's own signal. */
      readonly signals: readonly string[];
      /** The reaction: the session ended, the request was refused, or the mismatch was only reported. */
      readonly action: 'destroy' | 'reject' | 'report';
    })
  | (EventFields & {
      readonly type: 'csrf.rejected';
      readonly reason: CsrfRejection;
      readonly method: string;
      /** The `Origin` header, cut at 200 characters. Untrusted text. */
      readonly origin?: string;
    })
  | (RememberMeEventFields & { readonly type: 'remember_me.issued' })
  /** A device without a live session was signed in by its token, which was replaced. */
  | (RememberMeEventFields & { readonly type: 'remember_me.used' })
  /** A token was used that had been replaced before: two clients hold it, and one of them is a thief. */
  | (RememberMeEventFields & {
      readonly type: 'remember_me.theft';
      readonly revokedTokens: number;
      readonly revokedSessions: number;
    })
  | (EventFields & {
      readonly type: 'login.failed';
      readonly reason: LoginFailure;
      /** Known only if the account exists. */
      readonly userId?: string;
    })
  /** A password was not checked, or its verdict was withheld, because there were too many failures before. */
  | (EventFields & {
      readonly type: 'login.throttled';
      readonly scope: LoginThrottleScope;
      readonly retryAfterSeconds: number;
      /** Known only if the account exists. */
      readonly userId?: string;
    });

/** The type of an event, such as `'session.created'`: what `@OnEvent` listens for. */
export type SessionEventType = SessionEvent['type'];

/** An event without the fields that its publisher adds. */
export type UnstampedSessionEvent = SessionEvent extends infer E
  ? E extends SessionEvent
    ? Omit<E, 'at' | 'realm'>
    : never
  : never;
