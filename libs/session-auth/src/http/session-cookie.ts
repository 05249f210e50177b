import { MARK_BYTES, markOfSession, markOfUser } from '../crypto/identity-mark.js';
import type { KeyRing } from '../crypto/key-ring.js';
import { isSessionToken, SESSION_TOKEN_LENGTH } from '../crypto/session-token.js';
import type { CookieAttributes } from './cookie-attributes.js';
import { SealedCookie } from './sealed-cookie.js';

/** What a genuine cookie says. */
export interface OpenedSessionCookie {
  readonly token: string;
  /** What the session is known by, whatever a store answers. */
  readonly sessionMark: Uint8Array;
  /** What the session's user is known by. */
  readonly userMark: Uint8Array;
  /** Sealed under an older key than the first: to be written again. */
  readonly outdated: boolean;
}

/** What a cookie is to say of its session. */
export interface SessionOfCookie {
  readonly id: string;
  readonly userId?: string;
  readonly absoluteExpiresAt: Date;
}

/** What {@link SessionCookie} is made with. */
export interface SessionCookieSettings {
  readonly attributes: CookieAttributes;
  /** `lifetime.absolute`, milliseconds: no cookie is honoured longer than this after it was sealed. */
  readonly absolute: number;
  /** `lifetime.idle`, milliseconds. */
  readonly idle: number;
}

const TIME_BYTES = 6;
const MARKS_AT = SESSION_TOKEN_LENGTH + 2 * TIME_BYTES;
const PLAINTEXT_BYTES = MARKS_AT + 2 * MARK_BYTES;

/**
 * The session cookie: a token, the time it was sealed, the time it ends, and marks of its session and user, in a
 * {@link SealedCookie}. Whatever is not exactly such a value is refused before any store is asked, all kinds alike.
 */
export class SessionCookie {
  readonly #cookie: SealedCookie;

  constructor(
    keys: KeyRing,
    private readonly settings: SessionCookieSettings,
  ) {
    this.#cookie = new SealedCookie(keys, 'session-cookie', settings.attributes, PLAINTEXT_BYTES);
  }

  get name(): string {
    return this.#cookie.name;
  }

  /** Whether the cookie's `Max-Age` follows the idle expiry, so that it is written again whenever that moves. */
  get followsIdle(): boolean {
    return this.settings.attributes.maxAge === 'idle';
  }

  /**
   * What the session cookie of a `Cookie` header says; undefined when there is none or it is refused: of wrong length,
   * not sealed by us, moved from another name, past its end, or ambiguous because the name occurs twice.
   */
  read(cookieHeader: string | undefined, now: number): OpenedSessionCookie | undefined {
    const opened = this.#cookie.open(cookieHeader);
    if (opened === undefined) return undefined;
    const { plaintext, outdated } = opened;
    const token = plaintext.toString('latin1', 0, SESSION_TOKEN_LENGTH);
    const sealedAt = plaintext.readUIntBE(SESSION_TOKEN_LENGTH, TIME_BYTES);
    const endsAt = plaintext.readUIntBE(SESSION_TOKEN_LENGTH + TIME_BYTES, TIME_BYTES);
    if (endsAt <= now || sealedAt + this.settings.absolute <= now || !isSessionToken(token)) return undefined;
    const sessionMark = plaintext.subarray(MARKS_AT, MARKS_AT + MARK_BYTES);
    return { token, sessionMark, userMark: plaintext.subarray(MARKS_AT + MARK_BYTES), outdated };
  }

  /** What a `Cookie` header has under the session cookie's name, genuine or not. */
  textIn(cookieHeader: string | undefined): string | undefined {
    return this.#cookie.textIn(cookieHeader);
  }

  /** The `Set-Cookie` value that hands the token of a session to the client. */
  issue(token: string, { id, userId, absoluteExpiresAt }: SessionOfCookie, now: number): string {
    const endsAt = absoluteExpiresAt.getTime();
    const plaintext = Buffer.alloc(PLAINTEXT_BYTES);
    plaintext.write(token, 'latin1');
    plaintext.writeUIntBE(now, SESSION_TOKEN_LENGTH, TIME_BYTES);
    plaintext.writeUIntBE(endsAt, SESSION_TOKEN_LENGTH + TIME_BYTES, TIME_BYTES);
    plaintext.set(markOfSession(id, userId), MARKS_AT);
    plaintext.set(markOfUser(userId), MARKS_AT + MARK_BYTES);
    const { attributes, idle } = this.settings;
    const remaining = endsAt - now;
    const maxAge =
      attributes.maxAge === 'idle'
        ? Math.min(idle, remaining)
        : attributes.maxAge === 'absolute'
          ? remaining
          : attributes.maxAge;
    return this.#cookie.seal(plaintext, maxAge);
  }

  /** The `Set-Cookie` value that removes the cookie: same attributes, an end in the past. */
  expire(): string {
    return this.#cookie.expire();
  }
}
