import { Inject, Injectable } from '@nestjs/common';
import { PasswordHasher, SessionAuthService } from 'nestjs-session-auth';
import { BankUsersService } from '../users/bank-users.service.js';

/** How a customer changes their password. */
@Injectable()
export class PasswordChange {
  constructor(
    @Inject(BankUsersService) private readonly users: BankUsersService,
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
  ) {}

  /**
   * Every other session ends, remembered devices too; the request's goes on with a new token.
   *
   * @throws SessionAuthError `invalid_credentials` for a wrong `currentPassword`, `too_many_attempts`, `password_too_long`
   */
  async change(
    request: object,
    currentPassword: string,
    newPassword: string,
  ): Promise<{ readonly revokedSessions: number }> {
    const { user } = await this.auth.reauthenticate(request, { password: currentPassword });
    const userId = String(user.id);
    await this.users.savePasswordHash(userId, await this.passwords.hash(newPassword));
    return this.auth.credentialsChanged(userId, { keep: request });
  }
}
