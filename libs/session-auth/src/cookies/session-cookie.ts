import { MARK_BYTES, markOfSession, markOfUser, SessionMark } from '../crypto/identity-mark.js';
import type { KeyRing } from '../crypto/key-ring.js';
import { digestOf, isSessionToken, SESSION_TOKEN_LENGTH } from '../crypto/session-token.js';
import type { PresentedToken } from '../session/session-lifecycle.js';
import type { CookieAttributes } from './cookie.options.js';
import { RecentlyUsed } from '../cache/lru-cache.js';
import { SealedCookie } from './sealed-cookie.js';

/** What a genuine cookie says. */
export interface OpenedSessionCookie extends PresentedToken {
  /** What the session's user is known by. */
  readonly userMark: Uint8Array;
  /** Sealed under an older key than the first: to be written again. */
  readonly outdated: boolean;
}

/** What a `Cookie` header has under the name of the session cookie. */
export interface FoundSessionCookie {
  /** Genuine or not; several of them joined. */
  readonly text: string;
  /** Undefined: it is refused. */
  readonly opened: OpenedSessionCookie | undefined;
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

/** What a genuine cookie holds, whether it has ended or not. */
interface CookieContent {
  readonly opened: OpenedSessionCookie;
  readonly sealedAt: number;
  readonly endsAt: number;
}

const TIME_BYTES = 6;
const MARKS_AT = SESSION_TOKEN_LENGTH + 2 * TIME_BYTES;
const PLAINTEXT_BYTES = MARKS_AT + 2 * MARK_BYTES;

const REMEMBERED = 4096;
const LONGEST = 512;

/**
 * The session cookie: a token, the time it was sealed, the time it ends, and marks of its session and user, in a
 * {@link SealedCookie}. Whatever is not exactly such a value is refused before any store is asked, all kinds alike.
 *
 * What genuine values hold is remembered for the last few thousand of them, since opening one costs more than all else
 * that a request takes here. The keys are the same for as long as the process runs, the times are compared with the
 * clock at each use, and a value that was refused is never remembered: it is taken apart anew each time.
 */
export class SessionCookie {
  readonly #cookie: SealedCookie;
  readonly #contents = new RecentlyUsed<CookieContent>(REMEMBERED, LONGEST);

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
    return this.find(cookieHeader, now)?.opened;
  }

  /** What a `Cookie` header has under the session cookie's name, and what it says if it is not refused: see {@link read}. */
  find(cookieHeader: string | undefined, now: number): FoundSessionCookie | undefined {
    const text = this.#cookie.textIn(cookieHeader);
    return text === undefined ? undefined : { text, opened: this.#read(text, now) };
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

  #read(value: string, now: number): OpenedSessionCookie | undefined {
    const content = this.#contents.get(value) ?? this.#open(value);
    if (content === undefined) return undefined;
    const { opened, sealedAt, endsAt } = content;
    return endsAt <= now || sealedAt + this.settings.absolute <= now ? undefined : opened;
  }

  #open(value: string): CookieContent | undefined {
    const seal = this.#cookie.openText(value);
    if (seal === undefined) return undefined;
    const { plaintext, outdated } = seal;
    const token = plaintext.toString('latin1', 0, SESSION_TOKEN_LENGTH);
    if (!isSessionToken(token)) return undefined;
    const sessionMark = new SessionMark(plaintext.subarray(MARKS_AT, MARKS_AT + MARK_BYTES));
    const userMark = plaintext.subarray(MARKS_AT + MARK_BYTES);
    const content = {
      opened: { token, digest: digestOf(token), sessionMark, userMark, outdated },
      sealedAt: plaintext.readUIntBE(SESSION_TOKEN_LENGTH, TIME_BYTES),
      endsAt: plaintext.readUIntBE(SESSION_TOKEN_LENGTH + TIME_BYTES, TIME_BYTES),
    };
    this.#contents.set(value, content);
    return content;
  }
}
