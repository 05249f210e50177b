import 'reflect-metadata';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
  type CallHandler,
  type ExecutionContext,
  type InjectionToken,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { catchError, throwError, type Observable } from 'rxjs';
import { Public } from '../guards/public.decorator.js';
import { requireRecentAuth } from '../guards/recent-auth.guard.js';
import { SessionAuthGuard } from '../guards/session-auth.guard.js';
import { SessionAuthService } from '../login/session-auth.service.js';
import type { Login } from '../login/sign-in.js';
import { CsrfProtected } from '../csrf/csrf-protected.decorator.js';
import { CsrfService } from '../csrf/csrf.service.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { asHttpException } from '../http/http-exception.js';
import { getRequestSession } from '../http/request-session-factory.js';
import { Realm } from '../realms/realm.decorator.js';
import { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import { requireSession, type UserSession } from '../session/session.js';
import { Clock } from '../time/clock.js';
import { userIdOf } from '../users/valid-user.js';
import type { CsrfAnswer, LoginAnswer, SessionAnswer, SessionListItem } from './answers.js';
import { DtoPipe, isSet } from './dto.pipe.js';
import { ENDPOINT_NAMES, ENDPOINTS_SETTINGS, type EndpointName, type EndpointsSettings } from './endpoints.options.js';
import { FormRedirects } from './form-post.js';
import { toListItem } from './list-item.js';
import { loginRules, type LoginDto } from './login.dto.js';
import { REAUTHENTICATE_RULES, type ReauthenticateDto } from './reauthenticate.dto.js';

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 1000;

/**
 * Turns the library's errors into HTTP exceptions at the ready-made endpoints, independent of the application's
 * filters.
 */
export class EndpointErrorsInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((error: unknown) => throwError(() => asHttpException(error, context))));
  }
}

/** The ready-made endpoints, under `endpoints.path`. */
@Controller({ version: VERSION_NEUTRAL })
@UseInterceptors(EndpointErrorsInterceptor)
export class SessionAuthController {
  readonly #loginBody: DtoPipe<LoginDto>;

  constructor(
    private readonly auth: SessionAuthService,
    private readonly lifecycle: SessionLifecycleService,
    private readonly csrf: CsrfService,
    private readonly clock: Clock,
    @Inject(ENDPOINTS_SETTINGS) private readonly settings: EndpointsSettings,
  ) {
    this.#loginBody = new DtoPipe(loginRules(settings.loginField));
  }

  /** Works before login. Costs no store call. */
  @Public()
  @Get('csrf')
  csrfToken(@Req() request: object): CsrfAnswer {
    const { headerName, fieldName } = this.csrf;
    return { csrfToken: this.csrf.issue(request), headerName, fieldName };
  }

  @Public()
  @CsrfProtected()
  @Post('login')
  @HttpCode(200)
  async login(@Req() request: object, @Body() body: unknown): Promise<LoginAnswer> {
    const { [this.settings.loginField]: name, password, rememberMe } = this.#loginBody.transform(body);
    const options = { rememberMe: isSet(rememberMe) };
    return this.#loginAnswer(request, await this.auth.login(request, { email: String(name), password }, options));
  }

  @Public()
  @CsrfProtected({ withoutSession: 'headers' })
  @Post('logout')
  @HttpCode(204)
  async logout(@Req() request: object): Promise<void> {
    await this.auth.logout(request);
  }

  @UseGuards(SessionAuthGuard)
  @Get('session')
  async session(@Req() request: object): Promise<SessionAnswer> {
    const session = await this.#session(request);
    return { ...session.toJSON(), csrfToken: this.csrf.issue(request) };
  }

  /** Newest first. If there are further pages, `Link: …; rel="next"` (RFC 8288) leads to the next one. */
  @UseGuards(SessionAuthGuard)
  @Get('sessions')
  async sessions(
    @Req() request: object,
    @Query('limit') limit: unknown,
    @Query('cursor') cursor: unknown,
  ): Promise<SessionListItem[]> {
    const page = { limit: readPageSize(limit), cursor: readCursor(cursor) };
    const current = await this.#session(request);
    const { sessions, next } = await this.lifecycle.list(current.userId, page);
    if (next !== undefined) {
      // relative to the request's path, so that any prefix stays
      const link = `<?${String(new URLSearchParams({ limit: String(page.limit), cursor: next }))}>; rel="next"`;
      getRequestSession(request).exchange.setHeader('link', link);
    }
    return sessions.map((session) => toListItem(session, current.id));
  }

  @CsrfProtected()
  @UseGuards(SessionAuthGuard)
  @Delete('sessions/:id')
  @HttpCode(204)
  async revoke(@Req() request: object, @Param('id') id: string): Promise<void> {
    const current = await this.#session(request);
    if (id !== current.id) this.#requireRecentAuth(current);
    const requestSession = getRequestSession(request);
    const revoked = await this.lifecycle.revoke(current.userId, id, 'revoked', requestSession.exchange.client);
    if (!revoked) throw new SessionAuthError('not_found', 'you have no such session');
    if (id === current.id) requestSession.clear();
  }

  @CsrfProtected()
  @UseGuards(SessionAuthGuard)
  @Delete('sessions')
  async revokeAll(@Req() request: object, @Query('include') include: unknown): Promise<{ revoked: number }> {
    if (include !== undefined && include !== 'current') {
      throw new SessionAuthError('invalid_request', "include: allowed is 'current'");
    }
    const current = await this.#session(request);
    this.#requireRecentAuth(current);
    const requestSession = getRequestSession(request);
    const { client } = requestSession.exchange;
    if (include === undefined) {
      return { revoked: await this.lifecycle.revokeOthers(current.userId, current.id, 'revoked', client) };
    }
    const revoked = await this.lifecycle.revokeAll(current.userId, 'revoked', client);
    requestSession.clear();
    return { revoked };
  }

  /**
   * No guard requires a session: a form that was sent twice comes with the token that its first response has replaced.
   */
  @Public()
  @CsrfProtected()
  @Post('reauthenticate')
  @HttpCode(200)
  async reauthenticate(
    @Req() request: object,
    @Body(new DtoPipe(REAUTHENTICATE_RULES)) body: unknown,
  ): Promise<LoginAnswer> {
    const { password } = body as ReauthenticateDto;
    return this.#loginAnswer(request, await this.auth.reauthenticate(request, { password }));
  }

  #loginAnswer(request: object, { user, session }: Login): LoginAnswer {
    return {
      user: { id: userIdOf(user.id), email: user.email ?? undefined, roles: user.roles ?? [] },
      session: session.toJSON(),
      csrfToken: this.csrf.issue(request),
    };
  }

  async #session(request: object): Promise<UserSession> {
    return requireSession(await this.auth.current(request));
  }

  /** An unattended session, or a found device, must not be enough to lock its owner out. */
  #requireRecentAuth(session: UserSession): void {
    const { recentAuth } = this.settings;
    if (recentAuth !== undefined) requireRecentAuth(session, recentAuth, this.clock.now());
  }
}

function readPageSize(text: unknown): number {
  if (text === undefined) return DEFAULT_PAGE;
  const size = typeof text === 'string' && /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size <= LARGEST_PAGE) return size;
  throw new SessionAuthError('invalid_request', `limit: allowed is a whole number from 1 to ${LARGEST_PAGE}`);
}

function readCursor(text: unknown): string | undefined {
  if (text === undefined || typeof text === 'string') return text;
  throw new SessionAuthError('invalid_request', 'unknown cursor: follow the link to the next page');
}

type Handler = (...args: never[]) => unknown;

/**
 * Returns the controller class that serves the endpoints of a realm.
 *
 * @param dependencies the parameters of its constructor, in order
 */
export function sessionAuthControllerAt(
  { path, except, redirects = {} }: Pick<EndpointsSettings, 'path' | 'except'> & Partial<EndpointsSettings>,
  realm: string,
  dependencies: readonly InjectionToken[],
): Type<SessionAuthController> {
  @Realm(realm)
  @Controller({ path, version: VERSION_NEUTRAL })
  class MountedSessionAuthController extends SessionAuthController {}
  if (Object.keys(redirects).length > 0) UseInterceptors(new FormRedirects(redirects))(MountedSessionAuthController);
  for (const [place, token] of dependencies.entries()) Inject(token)(MountedSessionAuthController, undefined, place);
  const handlers: Readonly<Record<EndpointName, Handler>> = SessionAuthController.prototype;
  for (const name of ENDPOINT_NAMES) {
    // a value that is not a function hides the inherited handler from Nest
    const value = except.includes(name) ? undefined : copyOf(handlers[name]);
    Object.defineProperty(MountedSessionAuthController.prototype, name, { value, writable: true, configurable: true });
  }
  return MountedSessionAuthController;
}

/** Copies a handler with separate metadata: OpenAPI's decorators write facts to it that are true of one realm only. */
function copyOf(handler: Handler): Handler {
  const copy: Handler = function (this: unknown, ...args) {
    return Reflect.apply(handler, this, args);
  };
  // interceptors know an endpoint by it
  Object.defineProperty(copy, 'name', { value: handler.name, configurable: true });
  for (const key of Reflect.getMetadataKeys(handler) as string[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), copy);
  }
  return copy;
}
