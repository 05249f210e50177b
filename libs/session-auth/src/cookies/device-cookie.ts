import { hash, randomBytes } from 'node:crypto';
import type { KeyRing } from '../crypto/key-ring.js';
import { listField, randomField, TIME } from './cookie-fields.js';
import type { CookieAttributes } from './cookie.options.js';
import { SealedCookie } from './sealed-cookie.js';

const ID_BYTES = 16;
const TAG_BYTES = 8;

/** Two a user: one of the account's id, one of the login name. */
const MAX_TAGS = 16;

/** What a device remembers of a user: the account's id, and the name that was typed. */
export type DeviceTagKind = 'user' | 'login';

interface StoredDevice {
  readonly id: string;
  readonly sealedAt: number;
  readonly tags: readonly string[];
}

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

/**
 * Recognises a device that somebody signed in from: a sealed, long-lived cookie with a random id and short digests of
 * the last eight accounts. It authenticates nobody, is set by a login and by nothing else, and the server keeps no list
 * of anybody's devices (docs/decisions/0006-known-devices.md).
 */
export class DeviceCookie extends SealedCookie<StoredDevice, KnownDevice> {
  /**
   * @param session the session cookie's attributes, which it shares; its name is that cookie's with `-device` behind it
   * @param lifetime milliseconds for which it is kept and honoured after a login
   */
  constructor(
    keys: KeyRing,
    session: CookieAttributes,
    private readonly lifetime: number,
  ) {
    super(
      keys,
      { ...session, name: `${session.name}-device` },
      {
        purpose: 'device-cookie',
        fields: { id: randomField(ID_BYTES), sealedAt: TIME, tags: listField(randomField(TAG_BYTES), MAX_TAGS) },
        lifetime,
        contentOf: ({ id, tags }) => new KnownDevice(id, tags),
      },
    );
  }

  /**
   * The `Set-Cookie` value after a login: the device as it was, or a new one, with the user in front.
   *
   * @param id of a new device
   */
  issue(
    device: KnownDevice | undefined,
    names: Readonly<Partial<Record<DeviceTagKind, string>>>,
    now: number,
    id = randomBytes(ID_BYTES).toString('base64url'),
  ): string {
    const latest = (Object.entries(names) as [DeviceTagKind, string][]).map(([kind, name]) => tagOf(kind, name));
    const tags = [...new Set([...latest, ...(device?.tags ?? [])])].slice(0, MAX_TAGS);
    return this.seal({ id: device?.id ?? id, sealedAt: now, tags }, this.lifetime);
  }
}

/** The id of a device whose first login comes from a pre-session: the same for two logins by one form. */
export function deviceIdOf(preSessionId: string): string {
  return hash('sha256', `device:${preSessionId}`, 'buffer').toString('base64url', 0, ID_BYTES);
}

function tagOf(kind: DeviceTagKind, name: string): string {
  return hash('sha256', `${kind}:${name}`, 'buffer').toString('base64url', 0, TAG_BYTES);
}
