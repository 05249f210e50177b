import { Body, Controller, HttpCode, Inject, Param, Post, Put, Req, UseGuards } from '@nestjs/common';
import {
  CsrfProtected,
  PasswordHasher,
  RequireRecentAuth,
  Roles,
  SessionAuthGuard,
  SessionAuthService,
} from 'nestjs-session-auth';
import { Accounts } from './accounts.js';

@Controller('accounts')
@UseGuards(SessionAuthGuard)
@CsrfProtected()
export class AccountsController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(Accounts) private readonly accounts: Accounts,
  ) {}

  @Post('password')
  @HttpCode(204)
  async changePassword(
    @Req() request: object,
    @Body('currentPassword') password: string,
    @Body('newPassword') newPassword: string,
  ): Promise<void> {
    const { user } = await this.auth.reauthenticate(request, { password });
    await this.accounts.savePasswordHash(String(user.id), await this.passwords.hash(newPassword));
    await this.auth.credentialsChanged(user.id, { keep: request });
  }

  @Post(':id/disable')
  @HttpCode(204)
  @Roles('admin')
  @RequireRecentAuth('10m')
  async disable(@Param('id') id: string): Promise<void> {
    await this.accounts.disable(id);
    await this.auth.accountDisabled(id);
  }

  @Put(':id/roles')
  @HttpCode(204)
  @Roles('admin')
  async changeRoles(@Param('id') id: string, @Body('roles') roles: string[]): Promise<void> {
    await this.accounts.saveRoles(id, roles);
    await this.auth.rolesChanged(id, roles);
  }
}
