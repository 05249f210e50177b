import type { KeyRing } from '../crypto/key-ring.js';
import type { CookieAttributes } from './cookie.options.js';
import { bytesField, SealedCookie, textField, TIME } from './sealed-cookie.js';
import { MARK_BYTES, markOfUser } from '../crypto/session-token.js';

/** The content of a genuine remember-me cookie. */
export interface OpenedRememberMeCookie {
  /** `selector:validator` */
  readonly token: string;
  readonly endsAt: number;
  /** The mark of the remembered user, to compare with the store's record. */
  readonly userMark: Uint8Array;
}

const TOKEN_LENGTH = 68;

/**
 * The remember-me cookie: a `selector:validator` token, its expiry and a mark of its user. It is persistent and has the
 * session cookie's other attributes; its name is that cookie's name plus `-remember`.
 */
export class RememberMeCookie extends SealedCookie<OpenedRememberMeCookie> {
  constructor(keys: KeyRing, session: CookieAttributes) {
    super(
      keys,
      { ...session, name: `${session.name}-remember` },
      {
        purpose: 'remember-me-cookie',
        fields: { token: textField(TOKEN_LENGTH), endsAt: TIME, userMark: bytesField(MARK_BYTES) },
      },
    );
  }

  /** Returns the `Set-Cookie` value that gives a user's token to the client. */
  issue(token: string, userId: string, expiresAt: number, now: number): string {
    return this.seal({ token, endsAt: expiresAt, userMark: markOfUser(userId) }, expiresAt - now);
  }
}
