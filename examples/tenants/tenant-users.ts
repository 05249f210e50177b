import type { SessionUser, SessionUserProvider } from 'nestjs-session-auth';

/** Finds the users of one tenant. Two tenants may each have a user 1 and an ada@example.com. */
export class TenantUsers implements SessionUserProvider {
  constructor(private readonly tenant: string) {}

  findByEmail(email: string): Promise<SessionUser | undefined> {
    return Promise.resolve(email === 'ada@example.com' ? { id: '1', email, roles: [this.tenant] } : undefined);
  }

  findById(id: string): Promise<SessionUser | undefined> {
    return Promise.resolve(id === '1' ? { id, roles: [this.tenant] } : undefined);
  }
}
