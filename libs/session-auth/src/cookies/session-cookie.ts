import type { KeyRing } from '../crypto/key-ring.js';
import { digestOf, isSessionToken, SESSION_TOKEN_LENGTH } from '../crypto/session-token.js';
import type { PresentedToken } from '../session/session-reader.js';
import { MARK_BYTES, markOfSession, markOfUser } from '../session/session.js';
import { bytesField, textField, TIME } from './cookie-fields.js';
import type { CookieAttributes } from './cookie.options.js';
import { SealedCookie } from './sealed-cookie.js';

/** What a genuine session cookie says. */
export interface OpenedSessionCookie extends PresentedToken {
  /** The mark of the session's user. */
  readonly userMark: Uint8Array;
}

/** The session that a cookie stands for. */
export interface SessionOfCookie {
  readonly id: string;
  readonly userId?: string;
  readonly absoluteExpiresAt: Date;
}

/** The settings of {@link SessionCookie}. */
export interface SessionCookieSettings {
  readonly attributes: CookieAttributes;
  /** `lifetime.absolute`, milliseconds: no cookie is honoured longer than this after it was sealed. */
  readonly absolute: number;
  /** `lifetime.idle`, milliseconds. */
  readonly idle: number;
}

interface StoredSession {
  readonly token: string;
  readonly sealedAt: number;
  readonly endsAt: number;
  readonly sessionMark: Uint8Array;
  readonly userMark: Uint8Array;
}

/** How many opened cookies are remembered. */
const REMEMBERED = 4096;

/** The session cookie: a token, the times it was sealed and ends, and marks of its session and user. */
export class SessionCookie extends SealedCookie<StoredSession, OpenedSessionCookie> {
  /** Whether the cookie's `Max-Age` follows the idle expiry, so that it is written again whenever that moves. */
  readonly followsIdle: boolean;

  constructor(
    keys: KeyRing,
    private readonly settings: SessionCookieSettings,
  ) {
    super(keys, settings.attributes, {
      purpose: 'session-cookie',
      fields: {
        token: textField(SESSION_TOKEN_LENGTH),
        sealedAt: TIME,
        endsAt: TIME,
        sessionMark: bytesField(MARK_BYTES),
        userMark: bytesField(MARK_BYTES),
      },
      lifetime: settings.absolute,
      contentOf: ({ token, sessionMark, userMark }) =>
        isSessionToken(token) ? { token, digest: digestOf(token), sessionMark, userMark } : undefined,
      remembered: REMEMBERED,
    });
    this.followsIdle = settings.attributes.maxAge === 'idle';
  }

  /** The `Set-Cookie` value that hands the token of a session to the client. */
  issue(token: string, { id, userId, absoluteExpiresAt }: SessionOfCookie, now: number): string {
    const endsAt = absoluteExpiresAt.getTime();
    const marks = { sessionMark: markOfSession(id, userId), userMark: markOfUser(userId) };
    return this.seal({ token, sealedAt: now, endsAt, ...marks }, this.#maxAge(endsAt - now));
  }

  #maxAge(remaining: number): number | undefined {
    const { maxAge } = this.attributes;
    if (maxAge === 'idle') return Math.min(this.settings.idle, remaining);
    return maxAge === 'absolute' ? remaining : maxAge;
  }
}
