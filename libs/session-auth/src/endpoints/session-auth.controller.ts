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
} from '@nestjs/common';
import { Public } from '../guards/public.decorator.js';
import { requireRecentAuth } from '../guards/recent-auth.guard.js';
import { SessionAuthGuard } from '../guards/session-auth.guard.js';
import { SessionAuthService } from '../login/session-auth.service.js';
import type { Login } from '../login/sign-in.js';
import { CsrfProtected } from '../csrf/csrf-protected.decorator.js';
import { CsrfService } from '../csrf/csrf.service.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { getRequestSession } from '../http/request-session-factory.js';
import { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import { type Session, type SessionView, type UserSession, requireSession } from '../session/session.js';
import { Clock } from '../time/clock.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import { deviceName } from '../users/device-name.js';
import { userIdOf } from '../users/valid-user.js';
import { DtoPipe } from './dto.pipe.js';
import { EndpointErrorsInterceptor } from './endpoint-errors.interceptor.js';
import { ENDPOINTS_SETTINGS, type EndpointsSettings } from './endpoints.options.js';
import { LOGIN_RULES, type LoginDto } from './login.dto.js';
import { REAUTHENTICATE_RULES, type ReauthenticateDto } from './reauthenticate.dto.js';

/** The answer to `POST login` and `POST reauthenticate`. */
export interface LoginAnswer {
  readonly user: { readonly id: string; readonly email?: string; readonly roles: readonly string[] };
  readonly session: SessionView;
  /** For the new session: the one of before is worth nothing any more. */
  readonly csrfToken: string;
}

/** The answer to `GET session`. */
export type SessionAnswer = SessionView & { readonly csrfToken: string };

/** The answer to `GET csrf`: the token, and how to send it. */
export interface CsrfAnswer {
  readonly csrfToken: string;
  readonly headerName: string;
  readonly fieldName: string;
}

/** One of the caller's sessions in the answer to `GET sessions`. */
export interface SessionListItem {
  readonly id: string;
  /** Whether it is the one that asks. */
  readonly current: boolean;
  /** Browser and system in words. */
  readonly device: string;
  readonly ip?: string;
  readonly createdAt: string;
  readonly lastActivityAt: string;
  readonly expiresAt: string;
  readonly authentication?: SessionAuthentication;
}

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 1000;

/** The ready-made endpoints, under `endpoints.path`. */
@Controller({ version: VERSION_NEUTRAL })
@UseInterceptors(EndpointErrorsInterceptor)
export class SessionAuthController {
  constructor(
    private readonly auth: SessionAuthService,
    private readonly lifecycle: SessionLifecycleService,
    private readonly csrf: CsrfService,
    private readonly clock: Clock,
    @Inject(ENDPOINTS_SETTINGS) private readonly settings: EndpointsSettings,
  ) {}

  /** Works before login too. Costs no store call. */
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
  async login(@Req() request: object, @Body(new DtoPipe(LOGIN_RULES)) body: unknown): Promise<LoginAnswer> {
    const { email, password, rememberMe } = body as LoginDto;
    return this.#loginAnswer(
      request,
      await this.auth.login(request, { email, password }, { rememberMe: rememberMe === true }),
    );
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

  /** Newest first. Where there are more than fit, `Link: …; rel="next"` (RFC 8288) leads to the next page. */
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
      // relative to the request's own path, whatever prefix it has
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

  /** No guard asks for a session: a form that was sent twice comes with the token that its first answer has replaced. */
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

  /** A session that was left open, or a found device, must not be enough to shut its owner out. */
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
  throw new SessionAuthError('invalid_request', 'cursor: allowed is one that a page was answered with');
}

function toListItem(session: Session, currentId: string): SessionListItem {
  const { id, ip, createdAt, lastActivityAt, expiresAt, authentication } = session.toJSON();
  return {
    id,
    current: id === currentId,
    device: deviceName(session.userAgent),
    ip,
    createdAt,
    lastActivityAt,
    expiresAt,
    authentication,
  };
}
