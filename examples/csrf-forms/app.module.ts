import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';
import { TransferController } from './transfer.controller.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      users: { useClass: UsersService },
      csrf: { global: true }, // every handler, unless it is @CsrfExempt()
    }),
  ],
  controllers: [TransferController],
})
export class AppModule {}
