import { MARK_BYTES, markOfUser } from '../crypto/identity-mark.js';
import type { KeyRing } from '../crypto/key-ring.js';
import type { CookieAttributes } from './cookie.options.js';
import { SealedCookie } from './sealed-cookie.js';

const TOKEN_LENGTH = 68;
const TIME_BYTES = 6;
const MARK_AT = TOKEN_LENGTH + TIME_BYTES;
const PLAINTEXT_BYTES = MARK_AT + MARK_BYTES;

/** What a genuine cookie says. */
export interface OpenedRememberMeCookie {
  /** `selector:validator` */
  readonly token: string;
  /** What the remembered user is known by, whatever a store answers. */
  readonly userMark: Uint8Array;
}

/**
 * The remember-me cookie: a `selector:validator` token, the time it ends and a mark of its user, in a
 * {@link SealedCookie}. It is persistent, `HttpOnly`, and has the session cookie's other attributes; its name is that cookie's with `-remember`
 * behind it.
 */
export class RememberMeCookie {
  readonly #cookie: SealedCookie;

  constructor(keys: KeyRing, session: CookieAttributes) {
    const attributes = { ...session, name: `${session.name}-remember` };
    this.#cookie = new SealedCookie(keys, 'remember-me-cookie', attributes, PLAINTEXT_BYTES);
  }

  get name(): string {
    return this.#cookie.name;
  }

  /** What the cookie of a `Cookie` header says, or undefined, under the same rules as for the session cookie. */
  read(cookieHeader: string | undefined, now: number): OpenedRememberMeCookie | undefined {
    const opened = this.#cookie.open(cookieHeader);
    if (opened === undefined || opened.plaintext.readUIntBE(TOKEN_LENGTH, TIME_BYTES) <= now) return undefined;
    const { plaintext } = opened;
    return { token: plaintext.toString('latin1', 0, TOKEN_LENGTH), userMark: plaintext.subarray(MARK_AT) };
  }

  /** Whether a `Cookie` header has a cookie of this name, genuine or not. */
  isIn(cookieHeader: string | undefined): boolean {
    return this.#cookie.isIn(cookieHeader);
  }

  /** The `Set-Cookie` value that hands a token of a user to the client. */
  issue(token: string, userId: string, expiresAt: number, now: number): string {
    const plaintext = Buffer.alloc(PLAINTEXT_BYTES);
    plaintext.write(token, 'latin1');
    plaintext.writeUIntBE(expiresAt, TOKEN_LENGTH, TIME_BYTES);
    plaintext.set(markOfUser(userId), MARK_AT);
    return this.#cookie.seal(plaintext, expiresAt - now);
  }

  expire(): string {
    return this.#cookie.expire();
  }
}
