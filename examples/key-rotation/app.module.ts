import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: process.env['SESSION_SECRETS']!.split(','), // newest first
      imports: [UsersModule],
      users: { useExisting: UsersService },
    }),
  ],
})
export class AppModule {}
