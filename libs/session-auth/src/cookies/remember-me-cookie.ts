import type { KeyRing } from '../crypto/key-ring.js';
import type { CookieAttributes } from './cookie.options.js';
import { bytesField, SealedCookie, textField, TIME } from './sealed-cookie.js';
import { MARK_BYTES, markOfUser } from '../crypto/session-token.js';

/** What a genuine remember-me cookie says. */
export interface OpenedRememberMeCookie {
  /** `selector:validator` */
  readonly token: string;
  readonly endsAt: number;
  /** The mark of the remembered user, whatever a store returns. */
  readonly userMark: Uint8Array;
}

const TOKEN_LENGTH = 68;

/**
 * The remember-me cookie: a `selector:validator` token, the time it ends and a mark of its user. It is persistent and has
 * the session cookie's other attributes; its name is that cookie's with `-remember` behind it.
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

  /** The `Set-Cookie` value that hands a token of a user to the client. */
  issue(token: string, userId: string, expiresAt: number, now: number): string {
    return this.seal({ token, endsAt: expiresAt, userMark: markOfUser(userId) }, expiresAt - now);
  }
}
