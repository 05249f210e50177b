import { Inject, Injectable } from '@nestjs/common';
import { PasswordHasher, SessionAuthError, SessionAuthService } from 'nestjs-session-auth';
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
   * Every other session ends, remembered devices too; the request's goes on with a new token. A form that was sent
   * twice is known by its new password, which is the present one by then.
   *
   * @throws SessionAuthError `session_required`, `invalid_credentials` for a wrong `currentPassword`,
   *   `too_many_attempts`,
   *   `password_too_long`
   */
  async change(
    request: object,
    currentPassword: string,
    newPassword: string,
  ): Promise<{ readonly revokedSessions: number }> {
    try {
      const { user } = await this.auth.reauthenticate(request, { password: currentPassword, newPassword });
      const userId = String(user.id);
      await this.users.savePasswordHash(userId, await this.passwords.hash(newPassword));
      return await this.auth.credentialsChanged(userId, { keep: request });
    } catch (error) {
      const isWrong = error instanceof SessionAuthError && error.code === 'invalid_credentials';
      if (!isWrong || !(await this.auth.isRepeated(request))) throw error;
      await this.auth.reauthenticate(request, { password: newPassword });
      return { revokedSessions: 0 };
    }
  }
}
