import { Get, Inject, Ip, NotFoundException, Param, Post, Query, Req } from '@nestjs/common';
import {
  Clock,
  ConcurrentSessionsService,
  CsrfProtected,
  CsrfService,
  CurrentSession,
  RequireRecentAuth,
  Roles,
  SessionLifecycleService,
} from 'nestjs-session-auth';
import type { BankUser } from '../users/bank-user.js';
import { BankUsersService } from '../users/bank-users.service.js';
import { adminPage, customerPage } from './admin.views.js';
import { fieldOf } from './form.js';
import { SeeOther, type PageAnswer } from './page.js';
import { PageController } from './page.controller.js';
import { RecentEvents } from './recent-events.js';

const EVENTS_SHOWN = 50;
const PAGE_SIZE = 50;

/** Who is signed in where, and what has happened: for the bank's people. */
@PageController('admin')
@Roles('admin')
export class AdminPagesController {
  constructor(
    @Inject(BankUsersService) private readonly users: BankUsersService,
    @Inject(SessionLifecycleService) private readonly sessions: SessionLifecycleService,
    @Inject(ConcurrentSessionsService) private readonly concurrent: ConcurrentSessionsService,
    @Inject(RecentEvents) private readonly events: RecentEvents,
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Get()
  async overview(): Promise<PageAnswer> {
    const rows = this.users.all().map(async (user) => ({ user, sessions: await this.concurrent.count(user.id) }));
    return adminPage(await Promise.all(rows), this.events.latest(EVENTS_SHOWN));
  }

  @Get('users/:id')
  async customer(
    @CurrentSession('id') currentId: string,
    @Req() request: object,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<PageAnswer> {
    const user = await this.#user(id);
    const cursor = fieldOf(query, 'cursor') || undefined;
    const { sessions, next } = await this.sessions.list(user.id, { limit: PAGE_SIZE, cursor });
    const csrfField = this.csrf.formField(request);
    return customerPage(user, { sessions, next, currentId, csrfField, now: this.clock.now() });
  }

  @CsrfProtected()
  @RequireRecentAuth('10m')
  @Post('users/:id/sessions/:session/end')
  async end(@Param('id') id: string, @Param('session') session: string, @Ip() ip: string): Promise<PageAnswer> {
    const user = await this.#user(id);
    if (!(await this.sessions.revoke(user.id, session, 'revoked', { ip }))) throw new NotFoundException();
    return new SeeOther(`/admin/users/${user.id}`, `${user.name} was signed out there.`);
  }

  @CsrfProtected()
  @RequireRecentAuth('10m')
  @Post('users/:id/end-all')
  async endAll(@Param('id') id: string, @Ip() ip: string): Promise<PageAnswer> {
    const user = await this.#user(id);
    const ended = await this.sessions.revokeAll(user.id, 'revoked', { ip });
    return new SeeOther(`/admin/users/${user.id}`, `${user.name} was signed out everywhere (${ended}).`);
  }

  async #user(id: string): Promise<BankUser> {
    const user = await this.users.findById(id);
    if (user === undefined) throw new NotFoundException();
    return user;
  }
}
