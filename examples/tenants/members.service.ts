import { Inject, Injectable } from '@nestjs/common';
import { SessionAuthService } from 'nestjs-session-auth';
import { UsersService } from './users.service.js';

@Injectable()
export class MembersService {
  constructor(
    @Inject(UsersService) private readonly users: UsersService,
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
  ) {}

  /** Removes the user from the tenant, from the user's next request on. */
  async remove(tenant: string, userId: string): Promise<void> {
    const roles = this.users.removeFrom(tenant, userId);
    await this.auth.rolesChanged(userId, roles);
  }
}
