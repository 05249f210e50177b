import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { invoicesOf } from './invoices-of.js';
import { TenantUsers } from './tenant-users.js';

const secrets = [process.env['SESSION_SECRET']!];

/** Known when the application starts. */
const TENANTS = ['acme', 'globex'];

@Module({
  imports: TENANTS.map((tenant) =>
    SessionAuthModule.forRoot({ realm: tenant, secrets, users: { useFactory: () => new TenantUsers(tenant) } }),
  ),
  controllers: TENANTS.map(invoicesOf),
})
export class AppModule {}
