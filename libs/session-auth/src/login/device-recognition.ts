import { Injectable, Optional } from '@nestjs/common';
import { DeviceCookie, type KnownDevice } from '../cookies/device-cookie.js';
import type { RequestSession } from '../http/request-session.js';
import { foldLoginName } from '../throttle/login-name.js';
import { Clock } from '../time/clock.js';
import type { SessionUser } from '../users/session-user-provider.js';

/** Tells whether a user has signed in from a request's device before, and makes the device remember that they did. */
@Injectable()
export class DeviceRecognition {
  /** @param cookie absent where the application has switched it off */
  constructor(
    private readonly clock: Clock,
    @Optional() private readonly cookie?: DeviceCookie,
  ) {}

  /** The id of the request's device, if this login name was used there before. */
  knownFor(requestSession: RequestSession, loginName: string): string | undefined {
    const device = this.#read(requestSession);
    return device?.knows('login', foldLoginName(loginName)) === true ? device.id : undefined;
  }

  /** Whether this user had not signed in from the request's device before; undefined where that is not known. */
  isNew(requestSession: RequestSession, user: SessionUser): boolean | undefined {
    if (this.cookie === undefined) return undefined;
    return this.#read(requestSession)?.knows('user', String(user.id)) !== true;
  }

  /** After a login. `loginName` is what the user typed, where they did. */
  remember(requestSession: RequestSession, user: SessionUser, loginName: string | undefined): void {
    if (this.cookie === undefined) return;
    const names = {
      user: String(user.id),
      ...(loginName === undefined ? {} : { login: foldLoginName(loginName) }),
    };
    requestSession.exchange.setCookie(
      this.cookie.name,
      this.cookie.issue(this.#read(requestSession), names, this.clock.now()),
    );
  }

  #read(requestSession: RequestSession): KnownDevice | undefined {
    return this.cookie?.read(requestSession.exchange.cookieHeader, this.clock.now());
  }
}
