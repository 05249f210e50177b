import { Controller, Get, Inject } from '@nestjs/common';
import { Roles, SessionLifecycleService, type SessionView } from 'nestjs-session-auth';
import { BankUsersService } from '../users/bank-users.service.js';

/** What the bank's own people may see. */
@Controller('api/admin')
@Roles('admin')
export class AdminController {
  constructor(
    @Inject(BankUsersService) private readonly users: BankUsersService,
    @Inject(SessionLifecycleService) private readonly sessions: SessionLifecycleService,
  ) {}

  /** The live sessions of all users. */
  @Get('sessions')
  async allSessions(): Promise<SessionView[]> {
    const pages = await Promise.all(this.users.all().map((user) => this.sessions.list(user.id)));
    return pages.flatMap((page) => page.sessions.map((session) => session.toJSON()));
  }
}
