import { digestOf, handleOf } from '../crypto/session-token.js';
import { CsrfService } from '../csrf/csrf.service.js';
import { isOwnButHidden } from '../csrf/request-origin.js';
import type { RequestSession } from '../http/request-session.js';
import { SessionAuthService } from '../login/session-auth.service.js';
import type { LoginUserOptions } from '../login/sign-in.js';
import type { Session } from '../session/session.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { SessionCallback } from './passport-session.js';

/** Options of `req.logIn`: those of passport and those of `loginUser`. */
export interface PassportLoginOptions extends Omit<LoginUserOptions, 'keepData'> {
  /** `false`: set `req.user` for this request only, without a sign-in. @default true */
  readonly session?: boolean;
  /** Keep the earlier data of the session, if the session belonged to nobody or to this user. @default false */
  readonly keepSessionInfo?: boolean;
}

/** Options of `req.logOut`. */
export interface PassportLogoutOptions {
  /**
   * Keep the data of the session, in a new session without a user. Works only behind `SessionPassport`.
   *
   * @default false
   */
  readonly keepSessionInfo?: boolean;
}

/** The service of the realm of a request. */
export function authOf({ services }: RequestSession): SessionAuthService {
  return services.above.get(SessionAuthService) as SessionAuthService;
}

/**
 * Logs a user in by `loginUser`. The new session begins without the earlier data, as in passport since 0.6: somebody
 * else may have written it.
 */
export async function logInBy(
  requestSession: RequestSession,
  request: object,
  user: SessionUser,
  options: PassportLoginOptions,
): Promise<Session> {
  const { rememberMe, authenticatedAt, upstream, keepSessionInfo } = options;
  const login = { rememberMe, authenticatedAt, upstream, keepData: keepSessionInfo === true };
  return (await authOf(requestSession).loginUser(request, user, 'custom', login)).session;
}

/**
 * Logs out by `logout`. A page of another origin cannot cause the logout: neither by a link or an image, nor by a form.
 * A form of another site comes without the cookies, but the response would have the browser clear them.
 *
 * @throws SessionAuthError `csrf_failed`
 */
export async function logOutBy(requestSession: RequestSession, request: object): Promise<void> {
  const { exchange, services } = requestSession;
  if (!isOwnButHidden(exchange.headers)) (services.above.get(CsrfService) as CsrfService).guardOpening(exchange);
  await authOf(requestSession).logout(request);
}

/** Ends the session of a request, forgets the device and removes the cookies, without `Clear-Site-Data`. */
export async function endBy(requestSession: RequestSession): Promise<void> {
  const { token, presented, exchange, services } = requestSession;
  if (token === undefined && !presented.hasRememberMe) return;
  requestSession.requireUnsent();
  const { client } = exchange;
  await Promise.all([
    requestSession.forgetDevice({ reason: 'replaced', exceptSessionId: token && handleOf(token) }),
    token === undefined ? undefined : services.changes.destroy(digestOf(token), 'replaced', client),
  ]);
  requestSession.clear();
}

/** Calls back after the operation is over: an error that the callback throws belongs to the caller. */
export function tell(done: Promise<unknown>, callback: SessionCallback): void {
  done.then(
    () => process.nextTick(callback),
    (error: unknown) => process.nextTick(callback, error),
  );
}
