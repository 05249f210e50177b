import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      users: { useClass: UsersService },
      csrf: { publicOrigin: 'https://bank.example' }, // what browsers show in the address bar
    }),
  ],
})
export class AppModule {}
