import { hash, randomBytes } from 'node:crypto';
import type { KeyRing } from '../crypto/key-ring.js';
import type { CookieAttributes } from './cookie.options.js';
import { type CookieField, listField, randomField, SealedCookie, TIME } from './sealed-cookie.js';

const ID_BYTES = 16;
const TAG = randomField(8);
const MAX_USERS = 8;

/** A login from the device: a digest of the user, and the time of their last login, in milliseconds since the epoch. */
interface DeviceUse {
  readonly tag: string;
  readonly since: number;
}

const USE: CookieField<DeviceUse> = {
  bytes: TAG.bytes + TIME.bytes,
  write: (out, at, { tag, since }) => {
    TAG.write(out, at, tag);
    TIME.write(out, at + TAG.bytes, since);
  },
  read: (from, at) => ({ tag: TAG.read(from, at), since: TIME.read(from, at + TAG.bytes) }),
};

interface StoredDevice {
  readonly id: string;
  readonly sealedAt: number;
  readonly uses: readonly DeviceUse[];
}

/** The content of a genuine device cookie. */
export class KnownDevice {
  /** @param lifetime how many milliseconds a login from the device is honoured */
  constructor(
    /** 128 random bits, in base64url. Identifies the device to this server alone, and is never shown. */
    readonly id: string,
    /** @internal */
    readonly uses: readonly DeviceUse[],
    private readonly lifetime: number,
  ) {}

  /** Returns when this user last signed in from the device; undefined if never, or too long ago. */
  since(user: string, now: number): number | undefined {
    const tag = tagOf(user);
    return this.uses.find((use) => use.tag === tag && use.since + this.lifetime > now)?.since;
  }
}

/**
 * Recognises a device that somebody signed in from. It is a sealed, long-lived cookie with a random id and short
 * digests of the last eight users, each with the time of their login. It authenticates nobody, only a login sets it,
 * and the server keeps no list of devices (docs/decisions/0006-known-devices.md).
 */
export class DeviceCookie extends SealedCookie<StoredDevice, KnownDevice> {
  /**
   * @param session the session cookie's attributes, which it shares; its name is that cookie's name plus `-device`
   * @param lifetime how many milliseconds it is kept and honoured after a login
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
        fields: { id: randomField(ID_BYTES), sealedAt: TIME, uses: listField(USE, MAX_USERS) },
        lifetime,
        contentOf: ({ id, uses }) => new KnownDevice(id, uses, lifetime),
      },
    );
  }

  /**
   * Returns the `Set-Cookie` value after a login: the present device, or a new one, with the user in front. The entries
   * of other users are not prolonged.
   *
   * @param since when the user signed in
   * @param id of a new device
   */
  issue(
    device: KnownDevice | undefined,
    { user, since }: { readonly user: string; readonly since: number },
    now: number,
    id = randomBytes(ID_BYTES).toString('base64url'),
  ): string {
    const tag = tagOf(user);
    const others = (device?.uses ?? []).filter((use) => use.tag !== tag);
    const uses = [{ tag, since }, ...others].slice(0, MAX_USERS);
    return this.seal({ id: device?.id ?? id, sealedAt: now, uses }, this.lifetime);
  }
}

/** Returns the id of a device whose first login comes from a pre-session: the same for two logins from one form. */
export function deviceIdOf(preSessionId: string): string {
  return hash('sha256', `device:${preSessionId}`, 'buffer').toString('base64url', 0, ID_BYTES);
}

function tagOf(user: string): string {
  return hash('sha256', `user:${user}`, 'buffer').toString('base64url', 0, TAG.bytes);
}
