import { hash, randomBytes } from 'node:crypto';
import type { KeyRing } from '../crypto/key-ring.js';
import type { CookieAttributes } from './cookie.options.js';
import { SealedCookie } from './sealed-cookie.js';

const ID_BYTES = 16;
const TIME_BYTES = 6;
const TAG_BYTES = 8;
/** Two a user: one of the account's id, one of the login name. */
const MAX_TAGS = 16;
const HEADER_BYTES = ID_BYTES + TIME_BYTES;
const PLAINTEXT_BYTES = HEADER_BYTES + MAX_TAGS * TAG_BYTES;

/** What a genuine device cookie says. */
export class KnownDevice {
  constructor(
    /** 128 random bits, in base64url. Names the device to this server alone, and is shown nowhere. */
    readonly id: string,
    /** @internal */
    readonly tags: readonly string[],
  ) {}

  /** Whether somebody signed in from this device under this name: an account's id, or a login name. */
  knows(kind: DeviceTagKind, name: string): boolean {
    return this.tags.includes(tagOf(kind, name));
  }
}

/** What a device remembers of a user: the account's id, and the name that was typed. */
export type DeviceTagKind = 'user' | 'login';

/**
 * What a device is recognised by after it was signed in from: a sealed, long-lived cookie with a random id and short
 * digests of the last eight accounts. It authenticates nobody, is set by a login and by nothing else, and the server
 * keeps no list of anybody's devices. See docs/decisions/0006-known-devices.md.
 */
export class DeviceCookie {
  readonly #cookie: SealedCookie;

  /**
   * @param session the session cookie's attributes, which it shares; its name is that cookie's with `-device` behind it
   * @param lifetime milliseconds for which it is kept and honoured after a login
   */
  constructor(
    keys: KeyRing,
    session: CookieAttributes,
    private readonly lifetime: number,
  ) {
    const attributes = { ...session, name: `${session.name}-device` };
    this.#cookie = new SealedCookie(keys, 'device-cookie', attributes, PLAINTEXT_BYTES);
  }

  get name(): string {
    return this.#cookie.name;
  }

  /** What the cookie of a `Cookie` header says, or undefined, under the same rules as for the session cookie. */
  read(cookieHeader: string | undefined, now: number): KnownDevice | undefined {
    const plaintext = this.#cookie.open(cookieHeader)?.plaintext;
    if (plaintext === undefined || plaintext.readUIntBE(ID_BYTES, TIME_BYTES) + this.lifetime <= now) return undefined;
    const tags: string[] = [];
    for (let at = HEADER_BYTES; at < PLAINTEXT_BYTES; at += TAG_BYTES) {
      const tag = plaintext.subarray(at, at + TAG_BYTES);
      if (tag.some((byte) => byte !== 0)) tags.push(tag.toString('base64url'));
    }
    return new KnownDevice(plaintext.toString('base64url', 0, ID_BYTES), tags);
  }

  /** The `Set-Cookie` value after a login: the device as it was, or a new one, with the user in front. */
  issue(device: KnownDevice | undefined, names: Readonly<Partial<Record<DeviceTagKind, string>>>, now: number): string {
    const latest = (Object.entries(names) as [DeviceTagKind, string][]).map(([kind, name]) => tagOf(kind, name));
    const tags = [...new Set([...latest, ...(device?.tags ?? [])])].slice(0, MAX_TAGS);
    const plaintext = Buffer.alloc(PLAINTEXT_BYTES);
    plaintext.write(device?.id ?? randomBytes(ID_BYTES).toString('base64url'), 'base64url');
    plaintext.writeUIntBE(now, ID_BYTES, TIME_BYTES);
    for (const [index, tag] of tags.entries()) plaintext.write(tag, HEADER_BYTES + index * TAG_BYTES, 'base64url');
    return this.#cookie.seal(plaintext, this.lifetime);
  }
}

function tagOf(kind: DeviceTagKind, name: string): string {
  return hash('sha256', `${kind}:${name}`, 'buffer').toString('base64url', 0, TAG_BYTES);
}
