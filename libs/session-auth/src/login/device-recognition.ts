import type { DeviceCookie, KnownDevice } from '../cookies/device-cookie.js';
import type { RequestSession } from '../http/request-session.js';
import { foldLoginName } from '../throttle/login-name.js';
import type { Clock } from '../time/clock.js';
import type { SessionUser } from '../users/session-user-provider.js';

/** Tells whether a user has signed in from a request's device before, and makes the device remember that they did. */
export class DeviceRecognition {
  /** @param cookie absent where the application has switched it off */
  constructor(
    private readonly cookie: DeviceCookie | undefined,
    private readonly clock: Clock,
  ) {}

  /** The id of the request's device, if this login name was used there before. */
  knownFor(request: RequestSession, loginName: string): string | undefined {
    const device = this.#read(request);
    return device?.knows('login', foldLoginName(loginName)) === true ? device.id : undefined;
  }

  /** Whether this user had not signed in from the request's device before; undefined where that is not known. */
  isNew(request: RequestSession, user: SessionUser): boolean | undefined {
    if (this.cookie === undefined) return undefined;
    return this.#read(request)?.knows('user', String(user.id)) !== true;
  }

  /** After a login. `loginName` is what the user typed, where they did. */
  remember(request: RequestSession, user: SessionUser, loginName: string | undefined): void {
    if (this.cookie === undefined) return;
    const names = {
      user: String(user.id),
      ...(loginName === undefined ? {} : { login: foldLoginName(loginName) }),
    };
    request.exchange.setCookie(this.cookie.name, this.cookie.issue(this.#read(request), names, this.clock.now()));
  }

  #read(request: RequestSession): KnownDevice | undefined {
    return this.cookie?.read(request.exchange.cookieHeader, this.clock.now());
  }
}
