import type { ModelSettings, Names } from './reference-session.js';

/**
 * What a token of a device is worth:
 *
 * - `present`: signs the device in. Its `successor`, which comes with the answer, becomes it by being presented.
 * - `in-flight`: its successor was presented a moment ago.
 * - `replaced`: somebody else has used it, or it was never handed out at all.
 */
export type DeviceTokenKind = 'present' | 'successor' | 'in-flight' | 'replaced';

/** What was handed out to whoever presented the present token. */
export interface HandedOut {
  readonly at: number;
  /** The next token and the session that goes with it. Undefined while no answer has told them. */
  names?: { readonly token: string; readonly session: Names };
  /** Whether the session is there. */
  isSettled: boolean;
}

/** A remembered device, with its secrets. */
export interface Device {
  readonly id: string;
  readonly selector: string;
  readonly userId: string;
  readonly createdAt: number;
  lastUsedAt: number;
  expiresAt: number;
  /** The session that the device was signed in by last. */
  sessionId: string;
  readonly ip?: string;
  token: string;
  handedOut?: HandedOut;
  /** The session of the last answer to the present token. It got lost, if that token comes again. */
  answeredWith?: string;
  inFlight: readonly { readonly token: string; readonly until: number }[];
  /** How often it was changed. */
  changes: number;
}

const MOST_IN_FLIGHT = 8;

/** The remembered devices of all users. */
export class Devices {
  all: Device[] = [];

  constructor(private readonly settings: ModelSettings['rememberMe']) {}

  clone(): Devices {
    const copy = new Devices(this.settings);
    copy.all = this.all.map((device) => ({ ...device, handedOut: device.handedOut && { ...device.handedOut } }));
    return copy;
  }

  issue(userId: string, sessionId: string, ip: string | undefined, { id, token }: Names, now: number): Device {
    const expiresAt = now + this.settings.lifetime;
    const times = { createdAt: now, lastUsedAt: now, expiresAt };
    const device = {
      ...times,
      id,
      userId,
      sessionId,
      ip,
      selector: selectorOf(token),
      token,
      inFlight: [],
      changes: 0,
    };
    this.all.push(device);
    return device;
  }

  /** The live device that a token belongs to, whatever the token is worth. */
  of(token: string, now: number): Device | undefined {
    return this.all.find(({ selector, expiresAt }) => selector === selectorOf(token) && expiresAt > now);
  }

  /** Hands something out for a token that was presented. */
  handOut(device: Device, presented: string, names: HandedOut['names'], now: number): void {
    const { lifetime, sliding, reuseGrace } = this.settings;
    if (presented !== device.token) {
      const before = { token: device.token, until: now + reuseGrace };
      device.inFlight = [before, ...device.inFlight.filter(({ until }) => until > now)].slice(0, MOST_IN_FLIGHT);
      device.token = presented;
      device.sessionId = device.handedOut!.names!.session.id;
      device.answeredWith = undefined;
    }
    device.handedOut = { at: now, names, isSettled: false };
    device.lastUsedAt = now;
    if (sliding) device.expiresAt = now + lifetime;
    device.changes += 1;
  }

  /** Whether all who present the present token now are handed the same. */
  isShared({ handedOut }: Device, now: number): boolean {
    return handedOut !== undefined && now - handedOut.at < this.settings.reuseGrace;
  }

  /** Live devices, newest first. */
  list(userId: string, now: number): Device[] {
    return this.all
      .filter((device) => device.userId === userId && device.expiresAt > now)
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  }

  /** Forgets live devices. Expired ones may still be in the way of a sweep. Returns how many. */
  forget(which: (device: Device) => boolean, now: number): number {
    const before = this.all.length;
    this.all = this.all.filter((device) => device.expiresAt <= now || !which(device));
    return before - this.all.length;
  }

  /** Forgets the devices of a user but the one of a session. Returns how many. */
  forgetAll(userId: string, except: string | undefined, now: number): number {
    return this.forget((device) => device.userId === userId && !isSignedInBy(device, except), now);
  }

  /** Forgets the expired ones. */
  sweep(now: number): void {
    this.all = this.all.filter((device) => device.expiresAt > now);
  }
}

/** What a token is worth that belongs to a device, as far as its beginning says. */
export function kindOf(device: Device, token: string, now: number): DeviceTokenKind {
  if (token === device.token) return 'present';
  if (token === device.handedOut?.names?.token) return 'successor';
  return device.inFlight.some((old) => old.token === token && old.until > now) ? 'in-flight' : 'replaced';
}

/** Whether a session is one that a device is signed in by. */
export function isSignedInBy({ sessionId, handedOut }: Device, id: string | undefined): boolean {
  return id !== undefined && (id === sessionId || id === handedOut?.names?.session.id);
}

/** The part of a remember-me token that finds its device. */
export function selectorOf(token: string): string {
  return token.slice(0, token.indexOf(':'));
}
