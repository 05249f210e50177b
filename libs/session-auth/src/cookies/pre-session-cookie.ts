import { randomBytes } from 'node:crypto';
import type { KeyRing } from '../crypto/key-ring.js';
import type { CookieAttributes } from './cookie.options.js';
import { randomField, SealedCookie, TIME } from './sealed-cookie.js';

/** The content of a genuine pre-session cookie. */
export interface PreSession {
  /** 256 random bits that only this browser has, in base64url. */
  readonly id: string;
  readonly sealedAt: number;
}

const ID_BYTES = 32;

/**
 * Identifies a browser before it has a session, so that the CSRF token of a login form can be bound to it. It is not a
 * session and uses no memory of the server. It ends with the browser and at login, and is not honoured for longer than
 * a session cookie.
 */
export class PreSessionCookie extends SealedCookie<PreSession> {
  /**
   * @param session the session cookie's attributes, which it shares; its name is that cookie's name plus `-csrf`
   * @param lifetime how many milliseconds a cookie is honoured after it was sealed
   */
  constructor(keys: KeyRing, session: CookieAttributes, lifetime: number) {
    const attributes = { ...session, name: `${session.name}-csrf`, maxAge: undefined };
    super(keys, attributes, {
      purpose: 'pre-session-cookie',
      fields: { id: randomField(ID_BYTES), sealedAt: TIME },
      lifetime,
    });
  }

  static newId(): string {
    return randomBytes(ID_BYTES).toString('base64url');
  }

  /** Returns the `Set-Cookie` value that gives an id to the browser. */
  issue(id: string, now: number): string {
    return this.seal({ id, sealedAt: now }, undefined);
  }
}
