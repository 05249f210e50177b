import { createHmac, hash, randomBytes } from 'node:crypto';
import { sessionTokenFrom, shardTagOf } from '../crypto/session-token.js';

/*
 * A remember-me token is `selector:validator`. The selector finds the stored record, the validator proves that the
 * client was given it; of the validator only the SHA-256 is stored (ASVS 6.5.2).
 *
 * A used validator is replaced by HMAC(key, selector, validator): one that nobody can work out without the server's
 * key, but which is the same for every tab that presents the same validator. So twenty tabs of a browser that starts
 * end up with one cookie, and a client that lost the answer gets the very same one again. The session that a
 * remembered login makes has its token from the same source, so the tabs share one session as well.
 */

const SELECTOR_BYTES = 16;
const VALIDATOR_BYTES = 32;
const TOKEN = /^[\w-]{24}:[\w-]{43}$/;

/** Length of a remember-me token in characters: shard tag and 128 bits, a colon, 256 bits. */
export const REMEMBER_ME_TOKEN_LENGTH = 24 + 1 + 43;

/** A remember-me token in its two parts. */
export interface RememberMeToken {
  /** Shard tag and 128 random bits: finds the record. Not secret by itself. */
  readonly selector: string;
  /** 256 bits: the secret. */
  readonly validator: string;
}

/** A fresh token for a user, from the system's secure generator. */
export function issueRememberMeToken(userId: string): RememberMeToken {
  return {
    selector: shardTagOf(userId) + randomBytes(SELECTOR_BYTES).toString('base64url'),
    validator: randomBytes(VALIDATOR_BYTES).toString('base64url'),
  };
}

/** The text of a token: `selector:validator`. */
export function formatRememberMeToken({ selector, validator }: RememberMeToken): string {
  return `${selector}:${validator}`;
}

/** The parts of a token's text; undefined for any other text. */
export function parseRememberMeToken(text: string): RememberMeToken | undefined {
  if (!TOKEN.test(text)) return undefined;
  return { selector: text.slice(0, 24), validator: text.slice(25) };
}

/** What the store keeps of a validator. */
export function validatorDigest(validator: string): string {
  return hash('sha256', validator, 'base64url');
}

/** The validator that takes the place of a used one: the same for everybody who presents that one. */
export function successorOf({ selector, validator }: RememberMeToken, key: Uint8Array): string {
  return createHmac('sha256', key).update(`validator:${selector}:${validator}`).digest('base64url');
}

/** The token of the session that a login by this remember-me token makes: the same for all tabs that present it. */
export function rememberedSessionToken(
  { selector, validator }: RememberMeToken,
  userId: string,
  key: Uint8Array,
): string {
  const secret = createHmac('sha256', key).update(`session:${selector}:${validator}`).digest('base64url');
  return sessionTokenFrom(userId, secret);
}
