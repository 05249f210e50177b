import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { withoutStackTrace } from '../errors/without-stack-trace.js';

const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES;
const OVERHEAD_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

interface SealingKey {
  readonly id: Buffer;
  readonly key: Buffer;
}

/** What {@link KeyRing.open} found. */
export interface OpenedSeal {
  readonly plaintext: Buffer;
  /** True when an older key than the first opened it: seal it again. */
  readonly outdated: boolean;
}

/**
 * The application's secrets, newest first: the first seals, all of them open (ASVS 11.2.2).
 *
 * Every key is derived once, at construction, by HKDF-SHA-256 with a label of its purpose, so that no key serves two
 * purposes. Sealing is AES-256-GCM with a random 96-bit nonce (ASVS 11.3.2). The sealed form is base64url over
 * version, key id, nonce, ciphertext and tag; version, key id and the caller's context (for a cookie: purpose and
 * name) are authenticated with it, so a value is worth nothing in another place.
 */
export class KeyRing {
  readonly #keys: readonly SealingKey[];
  readonly #secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = [...secrets];
    this.#keys = secrets.map((secret) => ({
      id: derive(secret, 'key id', KEY_ID_BYTES),
      key: derive(secret, 'seal', 32),
    }));
  }

  /** Length in characters of a sealed value of `plaintextBytes`. */
  static sealedLength(plaintextBytes: number): number {
    return Math.ceil(((OVERHEAD_BYTES + plaintextBytes) * 4) / 3);
  }

  /** Seals `plaintext` under the first key, bound to `context`. */
  seal(plaintext: Uint8Array, context: string): string {
    const { id, key } = this.#keys[0]!;
    const out = Buffer.allocUnsafe(OVERHEAD_BYTES + plaintext.length);
    out[0] = VERSION;
    id.copy(out, 1);
    randomBytes(NONCE_BYTES).copy(out, HEADER_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, out.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES));
    cipher.setAAD(associatedData(out, context));
    cipher.update(plaintext).copy(out, HEADER_BYTES + NONCE_BYTES);
    cipher.final();
    cipher.getAuthTag().copy(out, out.length - TAG_BYTES);
    return out.toString('base64url');
  }

  /**
   * Opens what {@link seal} made with the same context, or answers undefined: for every kind of damage alike.
   *
   * Only the one canonical encoding is accepted, although Node's decoder would forgive foreign characters.
   */
  open(value: string, context: string): OpenedSeal | undefined {
    const sealed = Buffer.from(value, 'base64url');
    if (sealed.length < OVERHEAD_BYTES || sealed[0] !== VERSION || sealed.toString('base64url') !== value) {
      return undefined;
    }
    const aad = associatedData(sealed, context);
    for (const [index, { id, key }] of this.#keys.entries()) {
      if (id.compare(sealed, 1, HEADER_BYTES) !== 0) continue;
      const plaintext = decrypt(sealed, key, aad);
      if (plaintext !== undefined) return { plaintext, outdated: index > 0 };
    }
    return undefined;
  }

  /** One 256-bit key per secret, newest first, for a purpose other than sealing (for example `'csrf'`). */
  deriveKeys(purpose: string): readonly Buffer[] {
    return this.#secrets.map((secret) => derive(secret, `purpose:${purpose}`, 32));
  }
}

function decrypt(sealed: Buffer, key: Buffer, aad: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(HEADER_BYTES + NONCE_BYTES, sealed.length - TAG_BYTES));
  try {
    // throws for what is forged
    withoutStackTrace(() => decipher.final());
    return plaintext;
  } catch {
    return undefined;
  }
}

function associatedData(sealed: Buffer, context: string): Buffer {
  return Buffer.concat([sealed.subarray(0, HEADER_BYTES), Buffer.from(context)]);
}

function derive(secret: string, label: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'nestjs-session-auth', `v${VERSION} ${label}`, length));
}
