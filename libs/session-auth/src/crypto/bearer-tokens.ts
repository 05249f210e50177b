import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { KeyRing } from './key-ring.js';
import { SESSION_TOKEN_LENGTH } from './session-token.js';

const MAC_BYTES = 16;

/** The length of a bearer token in characters: a session token and an HMAC of 128 bits, both in base64url. */
export const BEARER_TOKEN_LENGTH = SESSION_TOKEN_LENGTH + Math.ceil((MAC_BYTES * 4) / 3);

const BEARER_TOKEN_PATTERN = new RegExp(`^[A-Za-z0-9_-]{${BEARER_TOKEN_LENGTH}}$`);

/**
 * Bearer tokens: session tokens with an HMAC appended, for every use outside of a sealed cookie. A handle is public, so
 * anybody can write a token for another user's session. The HMAC distinguishes such a forgery from a genuine token that
 * was replaced, which is a sign of theft, without reading the store.
 */
@Injectable()
export class BearerTokens {
  /** One for each secret, newest first. */
  readonly #keys: readonly Buffer[];

  constructor(keys: KeyRing) {
    this.#keys = keys.deriveKeys('bearer-token');
  }

  /** Returns the bearer token of a session token. */
  write(token: string): string {
    return token + macOf(token, this.#keys[0]!).toString('base64url');
  }

  /** Returns the session token of a bearer token; undefined for any text that {@link write} did not return. */
  read(text: string): string | undefined {
    // ASCII only: timingSafeEqual throws when other characters make one text longer in bytes
    if (!BEARER_TOKEN_PATTERN.test(text)) return undefined;
    const token = text.slice(0, SESSION_TOKEN_LENGTH);
    const given = Buffer.from(text.slice(SESSION_TOKEN_LENGTH));
    let isGenuine = false;
    for (const key of this.#keys) {
      if (timingSafeEqual(given, Buffer.from(macOf(token, key).toString('base64url')))) isGenuine = true;
    }
    return isGenuine ? token : undefined;
  }
}

function macOf(token: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(token).digest().subarray(0, MAC_BYTES);
}
