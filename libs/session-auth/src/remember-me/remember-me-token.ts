import { createHmac, hash, randomBytes } from 'node:crypto';
import { sessionTokenFrom, shardTagOf } from '../crypto/session-token.js';

/*
 * A remember-me token is `selector:validator`. The selector finds the stored record, and the validator proves that the
 * client was given it. Only the SHA-256 of the validator is stored (ASVS 6.5.2).
 *
 * The successor of a validator is HMAC(key, selector, validator, nonce); the nonce is stored when the successor is
 * issued. Nobody can derive it without the server's key, yet it is the same for every tab that presents the same
 * validator while that hand-out is shared. So twenty tabs of a starting browser get one cookie. The token of the
 * session is derived in the same way, so the tabs share one session as well.
 */

const SELECTOR_BYTES = 16;
const VALIDATOR_BYTES = 32;
const NONCE_BYTES = 16;
const TOKEN = /^[\w-]{24}:[\w-]{43}$/;

/** Length of a remember-me token in characters: shard tag and 128 bits, a colon, 256 bits. */
export const REMEMBER_ME_TOKEN_LENGTH = 24 + 1 + 43;

/** A remember-me token, in its two parts. */
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

/** Returns the stored form of a validator. */
export function validatorDigest(validator: string): string {
  return hash('sha256', validator, 'base64url');
}

/** A fresh nonce for a successor, 128 bits. */
export function issueNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url');
}

/** Derives the successor of a validator: the same for every client that presents that validator. */
export function successorOf({ selector, validator }: RememberMeToken, nonce: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(`validator:${selector}:${validator}:${nonce}`).digest('base64url');
}

/** Derives the session token that is issued with a successor: the same for every client that gets the successor. */
export function rememberedSessionToken(
  { selector, validator }: RememberMeToken,
  nonce: string,
  key: Uint8Array,
  session: { readonly userId: string; readonly handle: string },
): string {
  const secret = createHmac('sha256', key).update(`session:${selector}:${validator}:${nonce}`).digest('base64url');
  return sessionTokenFrom(session.userId, session.handle, secret);
}
