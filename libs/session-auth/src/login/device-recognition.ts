import { Injectable } from '@nestjs/common';
import { CookieSet } from '../http/cookie-set.js';
import type { RequestSession } from '../http/request-session.js';
import { foldLoginName } from '../throttle/login-name.js';
import type { SessionUser } from '../users/session-user-provider.js';

/** Tells whether a user has signed in from a request's device before, and makes the device remember that they did. */
@Injectable()
export class DeviceRecognition {
  constructor(private readonly cookies: CookieSet) {}

  /** The id of the request's device, if this login name was used there before. */
  knownFor({ presented }: RequestSession, loginName: string): string | undefined {
    const { device } = presented;
    return device?.knows('login', foldLoginName(loginName)) === true ? device.id : undefined;
  }

  /** Whether this user had not signed in from the request's device before; undefined where that is not known. */
  isNew({ presented }: RequestSession, user: SessionUser): boolean | undefined {
    if (this.cookies.device === undefined) return undefined;
    return presented.device?.knows('user', String(user.id)) !== true;
  }

  /** After a login. `loginName` is what the user typed, where they did. */
  remember({ responseCookies }: RequestSession, user: SessionUser, loginName: string | undefined): void {
    const login = loginName === undefined ? {} : { login: foldLoginName(loginName) };
    responseCookies.writeDevice({ user: String(user.id), ...login });
  }
}
