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
      loginThrottle: {
        client: { failures: 3, window: '15m', block: '5m', maxBlock: '4h' },
        address: { failures: 30, window: '1h' },
      },
    }),
  ],
})
export class AppModule {}
