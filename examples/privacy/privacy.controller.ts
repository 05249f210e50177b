import { Controller, Delete, Get, Inject, UseGuards } from '@nestjs/common';
import {
  CsrfProtected,
  CurrentSession,
  RequireRecentAuth,
  SessionAuthGuard,
  SessionLifecycleService,
  type UserErasure,
  type UserExport,
} from 'nestjs-session-auth';
import { Accounts } from './accounts.js';

@Controller('my-data')
@UseGuards(SessionAuthGuard)
@RequireRecentAuth('10m')
export class PrivacyController {
  constructor(
    @Inject(SessionLifecycleService) private readonly sessions: SessionLifecycleService,
    @Inject(Accounts) private readonly accounts: Accounts,
  ) {}

  @Get()
  async export(@CurrentSession('userId') userId: string): Promise<UserExport> {
    return this.sessions.exportUser(userId, { loginNames: await this.accounts.loginNames(userId) });
  }

  @Delete()
  @CsrfProtected()
  async erase(@CurrentSession('userId') userId: string): Promise<UserErasure> {
    const loginNames = await this.accounts.loginNames(userId);
    await this.accounts.remove(userId); // first: a login that is under way looks the account up again
    return this.sessions.eraseUser(userId, { loginNames, audit: 'anonymise' });
  }
}
