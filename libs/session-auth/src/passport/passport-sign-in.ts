import { digestOf, handleOf } from '../crypto/session-token.js';
import { CsrfService } from '../csrf/csrf.service.js';
import { isOwnButHidden } from '../csrf/request-origin.js';
import type { RequestSession } from '../http/request-session.js';
import { SessionAuthService } from '../login/session-auth.service.js';
import type { LoginUserOptions } from '../login/sign-in.js';
import type { Session } from '../session/session.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { SessionCallback } from './passport-session.js';

/** What `req.logIn` may be told: what passport knows, and what `loginUser` knows. */
export interface PassportLoginOptions extends LoginUserOptions {
  /** `false`: set `req.user` for this request, and sign nobody in. @default true */
  readonly session?: boolean;
  /** Keep what was in the session before, if it was nobody's or this user's. @default false */
  readonly keepSessionInfo?: boolean;
}

/** What `req.logOut` may be told. */
export interface PassportLogoutOptions {
  /** Keep what was in the session, in a new one of nobody's: behind `SessionPassport` only. @default false */
  readonly keepSessionInfo?: boolean;
}

/** The service of the realm that a request is in. */
export function authOf({ services }: RequestSession): SessionAuthService {
  return services.above.get(SessionAuthService) as SessionAuthService;
}

/**
 * Logs a user in by `loginUser`. What was in the session before is dropped, as passport does since 0.6: somebody else
 * may have put it there.
 */
export async function logInBy(
  requestSession: RequestSession,
  request: object,
  user: SessionUser,
  options: PassportLoginOptions,
): Promise<Session> {
  const { rememberMe, authenticatedAt, upstream } = options;
  const login = { rememberMe, authenticatedAt, upstream };
  const { session } = await authOf(requestSession).loginUser(request, user, 'custom', login);
  const keys = Object.keys(session.data);
  if (options.keepSessionInfo !== true && keys.length > 0) {
    await session.update(Object.fromEntries(keys.map((key) => [key, undefined])));
  }
  return session;
}

/**
 * Logs out by `logout`. A page of another origin cannot have it done: neither by a link or an image, nor by a form,
 * which comes without the cookies but whose answer would have the browser clear them.
 *
 * @throws SessionAuthError `csrf_failed`
 */
export async function logOutBy(requestSession: RequestSession, request: object): Promise<void> {
  const { exchange, services } = requestSession;
  if (!isOwnButHidden(exchange.headers)) (services.above.get(CsrfService) as CsrfService).guardOpening(exchange);
  await authOf(requestSession).logout(request);
}

/** Ends the session of a request and takes what it was known by, without telling the browser to clear its site data. */
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

/** Calls back outside of what has just been done: an error that is thrown there is the caller's. */
export function tell(done: Promise<unknown>, callback: SessionCallback): void {
  done.then(
    () => process.nextTick(callback),
    (error: unknown) => process.nextTick(callback, error),
  );
}
