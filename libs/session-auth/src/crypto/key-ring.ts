import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DEFAULT_REALM, REALM, realmPart } from '../realms/realm-name.js';
import { SECRETS } from './secrets.options.js';

const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CHECK_BYTES = 8;
const CHECK_KEY_BYTES = 32;
const HEADER_BYTES = 1 + KEY_ID_BYTES;
const OVERHEAD_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES + CHECK_BYTES;

interface SealingKey {
  readonly id: Buffer;
  readonly key: Buffer;
  readonly checkKey: Buffer;
}

/** The result of {@link KeyRing.open}. */
export interface OpenedSeal {
  readonly plaintext: Buffer;
  /** True when an older key than the first opened it; seal it again then. */
  readonly outdated: boolean;
}

/**
 * The application's secrets, newest first: the first one seals, all of them open (ASVS 11.2.2).
 *
 * Every key is derived once, at construction, by HKDF-SHA-256 with a label for its purpose, so that no key has two
 * purposes. Sealing uses AES-256-GCM with a random 96-bit nonce (ASVS 11.3.2). The sealed form is base64url over
 * version, key id, nonce, ciphertext, tag and check. Version, key id and the caller's context are authenticated too.
 * For a cookie the context is its purpose and name, so a value copied to another cookie is refused.
 *
 * The check is 64 bits of a keyed SHA-256 over everything before it. The tag alone proves as much. The check is there
 * because it detects a forgery in a tenth of the time, and an attacker can send many forgeries.
 *
 * The label of each key and each context begin with the realm, except in the default realm. So the key id refuses a
 * value of another realm, even when both realms have the same secrets.
 */
@Injectable()
export class KeyRing {
  readonly #keys: readonly SealingKey[];
  readonly #secrets: readonly string[];

  /** The prefix of labels and contexts. */
  readonly #realm: string;

  constructor(@Inject(SECRETS) secrets: readonly string[], @Inject(REALM) realm = DEFAULT_REALM) {
    this.#secrets = [...secrets];
    this.#realm = realmPart(realm, 'realm:', ':');
    this.#keys = secrets.map((secret) => ({
      id: this.#derive(secret, 'key id', KEY_ID_BYTES),
      key: this.#derive(secret, 'seal', 32),
      checkKey: this.#derive(secret, 'check', CHECK_KEY_BYTES),
    }));
  }

  /** Length in characters of a sealed value of `plaintextBytes`. */
  static sealedLength(plaintextBytes: number): number {
    return Math.ceil(((OVERHEAD_BYTES + plaintextBytes) * 4) / 3);
  }

  /** Seals `plaintext` under the first key, bound to `context`. */
  seal(plaintext: Uint8Array, context: string): string {
    const { id, key, checkKey } = this.#keys[0]!;
    const out = Buffer.allocUnsafe(OVERHEAD_BYTES + plaintext.length);
    out[0] = VERSION;
    id.copy(out, 1);
    randomBytes(NONCE_BYTES).copy(out, HEADER_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, out.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES));
    cipher.setAAD(associatedData(out, this.#realm + context));
    cipher.update(plaintext).copy(out, HEADER_BYTES + NONCE_BYTES);
    cipher.final();
    cipher.getAuthTag().copy(out, out.length - TAG_BYTES - CHECK_BYTES);
    checkOf(Buffer.concat([checkKey, out.subarray(0, -CHECK_BYTES)])).copy(out, out.length - CHECK_BYTES);
    return out.toString('base64url');
  }

  /**
   * Opens a value that {@link seal} made with the same context. Returns undefined for any other value.
   *
   * Only the canonical encoding is accepted; Node's decoder alone would ignore foreign characters.
   */
  open(value: string, context: string): OpenedSeal | undefined {
    // leaves room for a key in front, so that the check copies nothing
    const room = Buffer.allocUnsafe(CHECK_KEY_BYTES + value.length);
    const sealed = room.subarray(CHECK_KEY_BYTES, CHECK_KEY_BYTES + room.write(value, CHECK_KEY_BYTES, 'base64url'));
    if (sealed.length < OVERHEAD_BYTES || sealed[0] !== VERSION) return undefined;
    for (const [index, { id, key, checkKey }] of this.#keys.entries()) {
      if (id.compare(sealed, 1, HEADER_BYTES) !== 0) continue;
      checkKey.copy(room);
      const checked = room.subarray(0, CHECK_KEY_BYTES + sealed.length - CHECK_BYTES);
      if (!timingSafeEqual(sealed.subarray(-CHECK_BYTES), checkOf(checked))) continue;
      if (sealed.toString('base64url') !== value) return undefined;
      const plaintext = decrypt(sealed, key, associatedData(sealed, this.#realm + context));
      if (plaintext !== undefined) return { plaintext, outdated: index > 0 };
    }
    return undefined;
  }

  /** One 256-bit key per secret, newest first, for a purpose other than sealing (for example `'csrf'`). */
  deriveKeys(purpose: string): readonly Buffer[] {
    return this.#secrets.map((secret) => this.#derive(secret, `purpose:${purpose}`, 32));
  }

  #derive(secret: string, label: string, length: number): Buffer {
    const info = `v${VERSION} ${this.#realm}${label}`;
    return Buffer.from(hkdfSync('sha256', secret, 'nestjs-session-auth', info, length));
  }
}

function decrypt(sealed: Buffer, key: Buffer, aad: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(aad);
  const end = sealed.length - TAG_BYTES - CHECK_BYTES;
  decipher.setAuthTag(sealed.subarray(end, end + TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(HEADER_BYTES + NONCE_BYTES, end));
  try {
    // throws for a value sealed in another context; a forgery does not get past the check before
    decipher.final();
    return plaintext;
  } catch {
    return undefined;
  }
}

/** Returns the check of a key and the sealed bytes. */
function checkOf(keyAndSealed: Buffer): Buffer {
  return hash('sha256', keyAndSealed, 'buffer').subarray(0, CHECK_BYTES);
}

function associatedData(sealed: Buffer, context: string): Buffer {
  return Buffer.concat([sealed.subarray(0, HEADER_BYTES), Buffer.from(context)]);
}
