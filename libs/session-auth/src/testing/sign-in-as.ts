import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { CsrfService } from '../csrf/csrf.service.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { RequestSessionFactory } from '../http/request-session-factory.js';
import { DEFAULT_REALM } from '../realms/realm-name.js';
import { realmToken } from '../realms/realm-token.js';
import { SessionChanges } from '../session/session-changes.js';
import { SessionRotation } from '../session/session-rotation.js';
import type { SessionData } from '../session/session-record.js';
import type { Session } from '../session/session.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import { SessionUserProvider, type SessionUser } from '../users/session-user-provider.js';
import { findUserByEmail } from '../users/valid-user.js';

/** Options for the session of {@link signInAs}. */
export interface SignInAsOptions<Data extends object = SessionData> {
  /** The realm of the session. @default 'default' */
  readonly realm?: string;
  /**
   * The client's headers, such as `{ 'user-agent': 'Phone/1.0' }`: the session is bound to those that the fingerprint
   * check uses, and they come back in {@link SignedIn.headers}. Headers that are not given are not compared, even if
   * the test's HTTP client adds them.
   *
   * @default none
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** The client's address. @default '127.0.0.1' */
  readonly ip?: string;
  /** `'remember-me'` for a session that `@RequireFullAuth()` and `@RequireRecentAuth()` refuse. @default 'password' */
  readonly authentication?: SessionAuthentication;
  /** When the user last entered their password, for `@RequireRecentAuth()`. @default now, by the application's clock */
  readonly authenticatedAt?: Date;
  /** The further factors that the user has just proved, for `@RequireFactor()`. @default none */
  readonly factors?: readonly string[];
  /** The session's initial data. @default no data */
  readonly data?: Partial<Data>;
}

/** A client that is signed in. */
export interface SignedIn {
  /** The value of the `Cookie` header. */
  readonly cookie: string;
  /** A token for this session; it works until the session's token is replaced. */
  readonly csrfToken: string;
  /**
   * All headers together, for `.set(headers)` or `fetch(url, { headers })`: cookie, CSRF token, and the given headers.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** The session that was made. */
  readonly session: Session;
}

/**
 * Signs a user in without a password and without a request, for end-to-end tests: a real session in the application's
 * storage, under its limits and lifetimes, with the cookie and the CSRF token of a login response.
 *
 * The session is made even for a disabled account, so that a test can see it refused. The event `session.created` is
 * published, and the notifier is called, as for a known device.
 *
 * @param app the application after `init` or `listen`, or a testing module after `init`
 * @param user a user, or the login name of a user that the application's `users` find
 * @throws SessionAuthError `not_found` for an unknown login name, `not_configured` for a login name without `users`,
 *   `invalid_user`, `session_limit_reached`, `session_store_unavailable`
 */
export async function signInAs<Data extends object = SessionData>(
  app: INestApplicationContext,
  user: SessionUser | string,
  options: SignInAsOptions<Data> = {},
): Promise<SignedIn> {
  const { realm = DEFAULT_REALM, ip = '127.0.0.1', authentication = 'password', authenticatedAt } = options;
  const { factors = [], data } = options;
  const service = <T>(type: Type<T>): T => app.get<T>(realmToken(realm, type), { strict: false });
  const given = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const client = Object.fromEntries(given);
  const request = { headers: client, method: 'POST', ip };
  // a response of Node that is never sent: the library adds its last headers when the head is written
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const requestSession = service(RequestSessionFactory).bind(request, response);
  const changes = service(SessionChanges);
  let issued = await changes.create({
    user: typeof user === 'string' ? await findUser(app, realm, user) : user,
    authentication,
    authenticatedAt: authenticatedAt?.getTime(),
    client: requestSession.exchange.client,
    fingerprint: requestSession.fingerprintBy((signal) => signal === 'custom' || signal in client),
    newDevice: false,
    data,
  });
  const rotation = service(SessionRotation);
  for (const factor of factors) issued = (await rotation.factorCompleted(issued.session, factor)) ?? issued;
  requestSession.replace(issued);
  const csrf = service(CsrfService);
  const csrfToken = csrf.issue(request);
  response.writeHead(200);
  const cookie = cookieOf(response);
  return {
    cookie,
    csrfToken,
    headers: { ...client, cookie, [csrf.headerName]: csrfToken },
    session: issued.session,
  };
}

async function findUser(app: INestApplicationContext, realm: string, loginName: string): Promise<SessionUser> {
  let users: SessionUserProvider | undefined;
  let cause: unknown;
  try {
    users = app.get<SessionUserProvider>(realmToken(realm, SessionUserProvider), { strict: false });
  } catch (error) {
    cause = error;
  }
  if (users === undefined) {
    const message = 'signInAs with a login name needs the option users; give it a user instead';
    throw new SessionAuthError('not_configured', message, { cause });
  }
  const user = await findUserByEmail(users, loginName);
  if (user !== undefined) return user;
  throw new SessionAuthError('not_found', `signInAs: the application has no user '${loginName}'`);
}

function cookieOf(response: ServerResponse): string {
  const lines = response.getHeader('set-cookie') as readonly string[];
  return lines.map((line) => line.slice(0, line.indexOf(';'))).join('; ');
}
