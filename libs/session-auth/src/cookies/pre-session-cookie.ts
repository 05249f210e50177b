import { randomBytes } from 'node:crypto';
import type { KeyRing } from '../crypto/key-ring.js';
import type { CookieAttributes } from './cookie.options.js';
import { SealedCookie } from './sealed-cookie.js';

/** What a genuine pre-session cookie says. */
export interface OpenedPreSession {
  /** 256 random bits that only this browser has, in base64url. */
  readonly id: string;
  /** Sealed under an older key than the first: to be written again. */
  readonly outdated: boolean;
}

const ID_BYTES = 32;
const TIME_BYTES = 6;

/**
 * What a browser is known by before it has a session, so that the CSRF token of a login form is bound to it. It
 * stands for no session, costs the server no memory, ends with the browser and at login, and is honoured no longer
 * than a session cookie.
 */
export class PreSessionCookie {
  readonly #cookie: SealedCookie;

  /**
   * @param session the session cookie's attributes, which it shares; its name is that cookie's with `-csrf` behind it
   * @param lifetime milliseconds for which a cookie is honoured after it was sealed
   */
  constructor(
    keys: KeyRing,
    session: CookieAttributes,
    private readonly lifetime: number,
  ) {
    const attributes = { ...session, name: `${session.name}-csrf`, maxAge: undefined };
    this.#cookie = new SealedCookie(keys, 'pre-session-cookie', attributes, ID_BYTES + TIME_BYTES);
  }

  static newId(): string {
    return randomBytes(ID_BYTES).toString('base64url');
  }

  get name(): string {
    return this.#cookie.name;
  }

  /** What the cookie of a `Cookie` header says, or undefined, under the same rules as for the session cookie. */
  read(cookieHeader: string | undefined, now: number): OpenedPreSession | undefined {
    const opened = this.#cookie.open(cookieHeader);
    if (opened === undefined) return undefined;
    const { plaintext, outdated } = opened;
    if (plaintext.readUIntBE(ID_BYTES, TIME_BYTES) + this.lifetime <= now) return undefined;
    return { id: plaintext.toString('base64url', 0, ID_BYTES), outdated };
  }

  /** Whether a `Cookie` header has a cookie of this name, genuine or not. */
  isIn(cookieHeader: string | undefined): boolean {
    return this.#cookie.isIn(cookieHeader);
  }

  issue(id: string, now: number): string {
    const plaintext = Buffer.alloc(ID_BYTES + TIME_BYTES);
    plaintext.write(id, 'base64url');
    plaintext.writeUIntBE(now, ID_BYTES, TIME_BYTES);
    return this.#cookie.seal(plaintext, undefined);
  }

  expire(): string {
    return this.#cookie.expire();
  }
}
