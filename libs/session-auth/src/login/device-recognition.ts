import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CookieSet } from '../http/cookie-set.js';
import type { RequestSession } from '../http/request-session.js';
import type { ResumableRequest } from '../http/session-resumer.js';
import { Clock } from '../time/clock.js';
import { deviceName } from '../users/device-name.js';
import type { SessionUser } from '../users/session-user-provider.js';

/** 64 bits: what tells the devices of one user apart. */
const DEVICE_BYTES = 8;

/** A device that a user has signed in from. */
export interface UsedDevice {
  readonly id: string;
  /** When they did last, in milliseconds since the epoch. */
  readonly since: number;
}

/** Tells whether a user has signed in from a request's device before, and makes the device remember that they did. */
@Injectable()
export class DeviceRecognition {
  constructor(
    private readonly cookies: CookieSet,
    private readonly clock: Clock,
  ) {}

  /** Whether devices are recognised at all. */
  get isOn(): boolean {
    return this.cookies.device !== undefined;
  }

  /**
   * The request's device, if its cookie says that this user has signed in from it, by a browser of the same family on the
   * same platform. Whether that still counts is the throttle's to say: the user's credentials may have changed since.
   */
  usedBy(requestSession: RequestSession, user: SessionUser): UsedDevice | undefined {
    const { device } = requestSession.presented;
    const since = device?.since(nameOf(requestSession, user), this.clock.now());
    return since === undefined ? undefined : { id: device!.id, since };
  }

  /**
   * What a session is known by to be this browser's: digest of the device's id, browser family and platform. Before the
   * first login a browser is known by its pre-session. Undefined for a client that keeps no cookies.
   */
  deviceOf({ presented, exchange }: ResumableRequest): string | undefined {
    const { deviceId } = presented;
    if (deviceId === undefined) return undefined;
    const text = `device:${deviceId}:${deviceName(exchange.client.userAgent)}`;
    return hash('sha256', text, 'buffer').toString('base64url', 0, DEVICE_BYTES);
  }

  /**
   * After a login.
   *
   * @param since when that was, in milliseconds since the epoch. @default now
   */
  remember(requestSession: RequestSession, user: Pick<SessionUser, 'id'>, since?: number): void {
    requestSession.responseCookies.writeDevice(nameOf(requestSession, user), since);
  }
}

/** A user with one kind of browser: a cookie that was copied to another kind is of no known device. */
function nameOf({ exchange }: RequestSession, user: Pick<SessionUser, 'id'>): string {
  return `${deviceName(exchange.client.userAgent)}:${user.id}`;
}
