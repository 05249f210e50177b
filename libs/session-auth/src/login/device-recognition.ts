import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CookieSet } from '../http/cookie-set.js';
import type { RequestSession } from '../http/request-session.js';
import type { ResumableRequest } from '../http/session-resumer.js';
import { foldLoginName } from '../throttle/login-name.js';
import { deviceName } from '../users/device-name.js';
import type { SessionUser } from '../users/session-user-provider.js';

/** 64 bits: what tells the devices of one user apart. */
const DEVICE_BYTES = 8;

/** Tells whether a user has signed in from a request's device before, and makes the device remember that they did. */
@Injectable()
export class DeviceRecognition {
  constructor(private readonly cookies: CookieSet) {}

  /** The id of the request's device, if this login name was used there before. */
  knownFor({ presented }: RequestSession, loginName: string): string | undefined {
    const { device } = presented;
    return device?.knows('login', foldLoginName(loginName)) === true ? device.id : undefined;
  }

  /**
   * Whether this user had not signed in from the request's device before, with a browser of the same family on the same
   * platform; undefined where that is not known.
   */
  isNew(requestSession: RequestSession, user: SessionUser): boolean | undefined {
    if (this.cookies.device === undefined) return undefined;
    return requestSession.presented.device?.knows('user', nameOf(requestSession, user)) !== true;
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

  /** After a login. `loginName` is what the user typed, where they did. */
  remember(requestSession: RequestSession, user: SessionUser, loginName: string | undefined): void {
    const login = loginName === undefined ? {} : { login: foldLoginName(loginName) };
    requestSession.responseCookies.writeDevice({ user: nameOf(requestSession, user), ...login });
  }
}

/** A user with one kind of browser: a cookie that was copied to another kind is of no known device. */
function nameOf({ exchange }: RequestSession, user: SessionUser): string {
  return `${deviceName(exchange.client.userAgent)}:${user.id}`;
}
