import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: process.env['SESSION_SECRETS']!.split(','), // newest first
      users: { useClass: UsersService },
    }),
  ],
})
export class AppModule {}
