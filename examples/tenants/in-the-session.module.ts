import { Controller, Get, Module, Param, UseGuards } from '@nestjs/common';
import { SessionAuthGuard, SessionAuthModule } from 'nestjs-session-auth';
import { MembersService } from './members.service.js';
import { TenantGuard } from './tenant.guard.js';
import { UsersService } from './users.service.js';

const secrets = [process.env['SESSION_SECRET']!];

@Controller('tenants/:tenant/invoices')
@UseGuards(SessionAuthGuard, TenantGuard)
export class InvoicesController {
  @Get()
  list(@Param('tenant') tenant: string): object {
    return { invoicesOf: tenant };
  }
}

@Module({ providers: [UsersService], exports: [UsersService] })
export class UsersModule {}

@Module({
  imports: [
    SessionAuthModule.forRoot({ secrets, imports: [UsersModule], users: { useExisting: UsersService } }),
    UsersModule,
  ],
  controllers: [InvoicesController],
  providers: [MembersService],
})
export class AppModule {}
