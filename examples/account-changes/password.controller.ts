import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { CsrfProtected, PasswordHasher, SessionAuthService } from 'nestjs-session-auth';
import { Accounts } from './accounts.js';

@Controller('accounts')
export class PasswordController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(Accounts) private readonly accounts: Accounts,
  ) {}

  @Post('password')
  @HttpCode(204)
  @CsrfProtected()
  async change(
    @Req() request: object,
    @Body('currentPassword') password: string,
    @Body('newPassword') newPassword: string,
  ): Promise<void> {
    const { user } = await this.auth.reauthenticate(request, { password });
    await this.accounts.savePasswordHash(String(user.id), await this.passwords.hash(newPassword));
    await this.auth.credentialsChanged(user.id, { keep: request });
  }
}
