import type { KeyRing } from '../crypto/key-ring.js';
import type { CookieAttributes } from './cookie-attributes.js';
import { SealedCookie } from './sealed-cookie.js';

const TOKEN_LENGTH = 68;
const TIME_BYTES = 6;

/**
 * The remember-me cookie: a `selector:validator` token with the time it ends, in a {@link SealedCookie}. It is
 * persistent, `HttpOnly`, and has the session cookie's other attributes; its name is that cookie's with `-remember`
 * behind it.
 */
export class RememberMeCookie {
  readonly #cookie: SealedCookie;

  constructor(keys: KeyRing, session: CookieAttributes) {
    const attributes = { ...session, name: `${session.name}-remember` };
    this.#cookie = new SealedCookie(keys, 'remember-me-cookie', attributes, TOKEN_LENGTH + TIME_BYTES);
  }

  get name(): string {
    return this.#cookie.name;
  }

  /** The token in the cookie of a `Cookie` header, or undefined, under the same rules as for the session cookie. */
  read(cookieHeader: string | undefined, now: number): string | undefined {
    const opened = this.#cookie.open(cookieHeader);
    if (opened === undefined || opened.plaintext.readUIntBE(TOKEN_LENGTH, TIME_BYTES) <= now) return undefined;
    return opened.plaintext.toString('latin1', 0, TOKEN_LENGTH);
  }

  /** Whether a `Cookie` header has a cookie of this name, genuine or not. */
  isIn(cookieHeader: string | undefined): boolean {
    return this.#cookie.isIn(cookieHeader);
  }

  /** The `Set-Cookie` value that hands a token to the client. */
  issue(token: string, expiresAt: number, now: number): string {
    const plaintext = Buffer.alloc(TOKEN_LENGTH + TIME_BYTES);
    plaintext.write(token, 'latin1');
    plaintext.writeUIntBE(expiresAt, TOKEN_LENGTH, TIME_BYTES);
    return this.#cookie.seal(plaintext, expiresAt - now);
  }

  expire(): string {
    return this.#cookie.expire();
  }
}
