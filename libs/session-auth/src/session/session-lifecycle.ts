import type { SessionMark } from '../crypto/identity-mark.js';
import type { RotationReason } from '../events/session-event.js';
import type { ClientInfo } from '../users/client-info.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { ConcurrencyLimit } from './concurrency.options.js';
import type { SessionLifetime } from './lifetime.options.js';
import type { SessionData, SessionRecordChanges } from './session-record.js';
import type { Session } from './session.js';
import type { UpstreamSession } from './upstream-session.js';

/** The settings of {@link SessionLifecycleService}. */
export interface SessionLifecycleSettings {
  readonly lifetime: SessionLifetime;
  readonly concurrency: ConcurrencyLimit;
  /** Milliseconds. */
  readonly storeTimeout: number;
  /** Bytes of JSON. */
  readonly maxDataSize: number;
  /** What identity providers' sessions are digested under: the first digests, all of them recognise. */
  readonly upstreamKeys: readonly Buffer[];
}

/** The session that {@link SessionLifecycleService.create} is to make. */
export interface NewSession {
  /** Whose it is; undefined: an anonymous session. */
  readonly user?: SessionUser;
  /** @default 'custom' for a session of a user */
  readonly authentication?: SessionAuthentication;
  /** When the user last proved who they are in full, in milliseconds since the epoch; never later than now. @default now */
  readonly authenticatedAt?: number;
  /** The session at the identity provider that the login came of. @default none */
  readonly upstream?: UpstreamSession;
  readonly client?: ClientInfo;
  /** What the session is bound to of its client, where the fingerprint check is on. */
  readonly fingerprint?: string;
  /** Whether the user had not signed in from this device before, where that is known: for the event and the notifier. */
  readonly newDevice?: boolean;
  readonly data?: SessionData;
  /**
   * Token and handle made elsewhere, for logins that may arrive several times at once and shall share one session
   * (remember-me). When a live session has that token, it is the one answered; when it has another one by now, none is.
   */
  readonly identity?: { readonly token: string; readonly id: string };
}

/** A session token out of a genuine cookie. */
export interface PresentedToken {
  readonly token: string;
  readonly digest: string;
  /** What its session is known by, whatever a store answers. */
  readonly sessionMark: SessionMark;
}

/** Who asks. Looked at only where it is told: working out an address may cost more than all the rest. */
export interface ClientSource {
  readonly client?: ClientInfo;
}

/** A session with the token that stands for it: the only time the token is seen in clear. */
export interface IssuedSession {
  /** The client's secret: put it where only the client sees it. */
  readonly token: string;
  readonly session: Session;
}

/** A page of a user's sessions, newest first. */
export interface SessionsPage {
  readonly sessions: readonly Session[];
  /** Hand this back for the next page; undefined on the last one. */
  readonly next?: string;
}

/** A proof of who the user is. */
export interface Authentication {
  readonly user: SessionUser;
  readonly authentication: SessionAuthentication;
  readonly client?: ClientInfo;
  /** What the session is bound to of its client from now on; undefined: what it was. */
  readonly fingerprint?: string;
}

/** A login over a live session of the same user. */
export interface RenewingLogin extends Authentication {
  /** As of {@link NewSession}. @default now */
  readonly authenticatedAt?: number;
  /** The session at the identity provider that this login came of. @default none, whatever the session came of before */
  readonly upstream?: UpstreamSession;
}

/** How {@link SessionLifecycleService.rotate} is to go about it. */
export interface RotateSession {
  /** @default 'requested' */
  readonly reason?: RotationReason;
  /** Milliseconds for which the old token goes on working. @default `lifetime.rotationGrace` */
  readonly grace?: number;
  readonly changes?: SessionRecordChanges;
  /** The further factor that was proved, for the event. */
  readonly factor?: string;
  readonly client?: ClientInfo;
}
