import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      imports: [UsersModule],
      users: { useExisting: UsersService },
      csrf: { publicOrigin: 'https://bank.example' }, // what browsers show in the address bar
    }),
  ],
})
export class AppModule {}
