import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { LruCache } from '../cache/lru-cache.js';

const MAC_BYTES = 32;
const TOKEN_BYTES = 2 * MAC_BYTES;

/** Length in characters of a CSRF token: a mask and the masked value in base64url. */
export const CSRF_TOKEN_LENGTH = Math.ceil((TOKEN_BYTES * 4) / 3);

/**
 * What a CSRF token is bound to: the token of a session, or the id of a pre-session. Equal texts of the two kinds
 * differ.
 */
export interface CsrfBinding {
  readonly kind: 'session' | 'pre-session';
  readonly secret: string;
}

const REMEMBERED = 4096;
const LONGEST = 128;

/**
 * A key that makes CSRF tokens. The results of the last few thousand bindings are cached: the pages of a session need
 * the same one again and again, and computing it costs more than the rest of a check.
 */
export class CsrfKey {
  readonly #macs = new LruCache<Buffer>(REMEMBERED, LONGEST);

  constructor(private readonly key: Buffer) {}

  /** HMAC-SHA-256 over a binding. */
  macOf({ kind, secret }: CsrfBinding): Buffer {
    return this.#macs.of(`csrf-token:${kind}:${secret}`, (text) =>
      createHmac('sha256', this.key).update(text).digest(),
    );
  }
}

/**
 * Makes a synchronizer token of 256 bits for the holder of the binding's secret: HMAC-SHA-256 over it, so that nothing
 * is stored. Fresh random bits mask it, so that no two responses contain the same text for a compression attack
 * (BREACH) to guess. All of these tokens are valid.
 */
export function issueCsrfToken(key: CsrfKey, binding: CsrfBinding): string {
  const mask = randomBytes(MAC_BYTES);
  return Buffer.concat([mask, xor(mask, key.macOf(binding))]).toString('base64url');
}

/**
 * Whether a value is a token that {@link issueCsrfToken} made of this binding with one of the keys. Accepts any value,
 * never throws, requires the canonical text of a token, and compares in constant time.
 */
export function isCsrfToken(value: unknown, keys: readonly CsrfKey[], binding: CsrfBinding): boolean {
  if (typeof value !== 'string' || value.length !== CSRF_TOKEN_LENGTH) return false;
  const bytes = Buffer.from(value, 'base64url');
  // Node's decoder would ignore foreign characters and loose bits at the end, and still return the right length
  if (bytes.toString('base64url') !== value) return false;
  const given = xor(bytes.subarray(0, MAC_BYTES), bytes.subarray(MAC_BYTES));
  let isGenuine = false;
  for (const key of keys) if (timingSafeEqual(given, key.macOf(binding))) isGenuine = true;
  return isGenuine;
}

function xor(left: Buffer, right: Buffer): Buffer {
  const out = Buffer.allocUnsafe(MAC_BYTES);
  for (let i = 0; i < MAC_BYTES; i++) out[i] = left[i]! ^ right[i]!;
  return out;
}
