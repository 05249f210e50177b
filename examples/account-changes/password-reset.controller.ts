import { Body, Controller, HttpCode, Inject, Post, UnauthorizedException } from '@nestjs/common';
import { CsrfProtected, PasswordHasher, SessionAuthService } from 'nestjs-session-auth';
import { Accounts } from './accounts.js';

@Controller('password-reset')
export class PasswordResetController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(Accounts) private readonly accounts: Accounts,
  ) {}

  /** `code` was in the mail: random, stored as a digest, good once and for some minutes. */
  @Post()
  @HttpCode(204)
  @CsrfProtected()
  async reset(@Body('code') code: string, @Body('newPassword') newPassword: string): Promise<void> {
    const id = await this.accounts.redeemResetCode(code);
    if (id === undefined) throw new UnauthorizedException();
    await this.accounts.savePasswordHash(id, await this.passwords.hash(newPassword));
    await this.auth.credentialsChanged(id);
  }
}
