import { Controller, Get, Module, UseGuards, type Type } from '@nestjs/common';
import {
  CurrentSession,
  Realm,
  SessionAuthGuard,
  SessionAuthModule,
  type Session,
  type SessionUser,
  type SessionUserProvider,
} from 'nestjs-session-auth';

const secrets = [process.env['SESSION_SECRET']!];

/** Known when the application starts. */
const TENANTS = ['acme', 'globex'];

/** Finds the users of one tenant. Two tenants may each have a user 1 and an ada@example.com. */
class TenantUsers implements SessionUserProvider {
  constructor(private readonly tenant: string) {}

  findByEmail(email: string): Promise<SessionUser | undefined> {
    return Promise.resolve(email === 'ada@example.com' ? { id: '1', email, roles: [this.tenant] } : undefined);
  }

  findById(id: string): Promise<SessionUser | undefined> {
    return Promise.resolve(id === '1' ? { id, roles: [this.tenant] } : undefined);
  }
}

/** Makes the routes of one tenant: they are of its realm, and have a path of their own. */
function invoicesOf(tenant: string): Type {
  @Realm(tenant)
  @UseGuards(SessionAuthGuard)
  @Controller(`${tenant}/invoices`)
  class Invoices {
    @Get()
    list(@CurrentSession() session: Session): object {
      return { invoicesOf: session.realm };
    }
  }
  return Invoices;
}

@Module({
  imports: TENANTS.map((tenant) =>
    SessionAuthModule.forRoot({ realm: tenant, secrets, users: { useFactory: () => new TenantUsers(tenant) } }),
  ),
  controllers: TENANTS.map(invoicesOf),
})
export class AppModule {}
