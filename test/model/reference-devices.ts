import type { ModelSettings, Names, Replaced } from './reference-session.js';

/** A remembered device, with its secret. */
export interface Device {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: number;
  lastUsedAt: number;
  expiresAt: number;
  sessionId: string;
  readonly ip?: string;
  /** What the client is to present next. */
  token: string;
  replaced: Replaced[];
  /** What the last use made of the session; all tabs of that moment share it. */
  session?: Names;
}

/** The remembered devices of all users. */
export class Devices {
  all: Device[] = [];

  constructor(private readonly settings: ModelSettings['rememberMe']) {}

  issue(userId: string, sessionId: string, ip: string | undefined, named: Names, now: number): Device {
    const device: Device = {
      id: named.id,
      userId,
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now + this.settings.lifetime,
      sessionId,
      ip,
      token: named.token,
      replaced: [],
    };
    this.all.push(device);
    return device;
  }

  /** The live device that a token belongs to, whichever of its validators that holds. */
  bySelectorOf(token: string, now: number): Device | undefined {
    return this.all.find((device) => selectorOf(device.token) === selectorOf(token) && device.expiresAt > now);
  }

  /** How a token may be used now. */
  judge(device: Device, token: string, now: number): 'used' | 'reused' | 'theft' {
    if (device.token === token) return 'used';
    return device.replaced.some((old) => old.token === token && old.until > now) ? 'reused' : 'theft';
  }

  /** @param next what the client got: the next token, and the names of the session to make */
  use(device: Device, next: { readonly token: string; readonly session: Names }, now: number): void {
    device.replaced.push({ token: device.token, until: now + this.settings.reuseGrace });
    device.token = next.token;
    device.session = next.session;
    device.sessionId = next.session.id;
    device.lastUsedAt = now;
    if (this.settings.sliding) device.expiresAt = now + this.settings.lifetime;
  }

  /** Live devices, newest first. */
  list(userId: string, now: number): Device[] {
    return this.all
      .filter((device) => device.userId === userId && device.expiresAt > now)
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  }

  /** Forgets live devices. Expired ones may still be in the way of a sweep. */
  forget(which: (device: Device) => boolean, now: number): void {
    this.all = this.all.filter((device) => device.expiresAt <= now || !which(device));
  }

  /** Forgets the expired ones. */
  sweep(now: number): void {
    this.all = this.all.filter((device) => device.expiresAt > now);
  }
}

/** The part of a remember-me token that finds its device. */
export function selectorOf(token: string): string {
  return token.slice(0, token.indexOf(':'));
}
