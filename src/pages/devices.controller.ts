import { Get, Inject, Ip, NotFoundException, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
import {
  Clock,
  CsrfProtected,
  CsrfService,
  CurrentSession,
  RequireRecentAuth,
  SessionAuthGuard,
  SessionAuthService,
  SessionLifecycleService,
  type Session,
} from 'nestjs-session-auth';
import { devicesPage } from './devices.view.js';
import { fieldOf } from './form.js';
import { SeeOther, type PageAnswer } from './page.js';
import { PageController } from './page.controller.js';

const PAGE_SIZE = 20;

type UserSession = Session & { readonly userId: string };

/** Where a customer is signed in, and how they end it there. */
@PageController('devices')
@UseGuards(SessionAuthGuard)
export class DevicesController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(SessionLifecycleService) private readonly sessions: SessionLifecycleService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Get()
  async devices(
    @CurrentSession() current: UserSession,
    @Req() request: object,
    @Query() query: unknown,
  ): Promise<PageAnswer> {
    const cursor = fieldOf(query, 'cursor') || undefined;
    const { sessions, next } = await this.sessions.list(current.userId, { limit: PAGE_SIZE, cursor });
    const csrfField = this.csrf.formField(request);
    return devicesPage({ sessions, next, currentId: current.id, csrfField, now: this.clock.now() });
  }

  /** Whoever holds a session that was left open must not be able to shut its owner out: the password is asked for. */
  @CsrfProtected()
  @RequireRecentAuth('10m')
  @Post('end-others')
  async endOthers(@CurrentSession() current: UserSession, @Ip() ip: string): Promise<PageAnswer> {
    const ended = await this.sessions.revokeOthers(current.userId, current.id, 'revoked', { ip });
    return new SeeOther(
      '/devices',
      ended === 1 ? 'One other device was signed out.' : `${ended} other devices were signed out.`,
    );
  }

  @CsrfProtected()
  @RequireRecentAuth('10m')
  @Post(':id/end')
  async end(
    @CurrentSession() current: UserSession,
    @Req() request: object,
    @Param('id') id: string,
    @Ip() ip: string,
  ): Promise<PageAnswer> {
    if (id === current.id) {
      await this.auth.logout(request);
      return new SeeOther('/login?because=logout');
    }
    if (!(await this.sessions.revoke(current.userId, id, 'revoked', { ip }))) throw new NotFoundException();
    return new SeeOther('/devices', 'That device was signed out.');
  }
}
