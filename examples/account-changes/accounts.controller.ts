import { Body, Controller, HttpCode, Inject, Param, Post, Put, UseGuards } from '@nestjs/common';
import { CsrfProtected, RequireRecentAuth, Roles, SessionAuthGuard, SessionAuthService } from 'nestjs-session-auth';
import { Accounts } from './accounts.js';

@Controller('accounts')
@UseGuards(SessionAuthGuard)
@Roles('admin')
@CsrfProtected()
export class AccountsController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(Accounts) private readonly accounts: Accounts,
  ) {}

  @Post(':id/disable')
  @HttpCode(204)
  @RequireRecentAuth('10m')
  async disable(@Param('id') id: string): Promise<void> {
    await this.accounts.disable(id);
    await this.auth.accountDisabled(id);
  }

  @Put(':id/roles')
  @HttpCode(204)
  async changeRoles(@Param('id') id: string, @Body('roles') roles: string[]): Promise<void> {
    await this.accounts.saveRoles(id, roles);
    await this.auth.rolesChanged(id, roles);
  }
}
