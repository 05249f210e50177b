import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      users: { useClass: UsersService },
      loginThrottle: {
        client: { failures: 3, window: '15m', block: '5m', maxBlock: '4h' },
        address: { failures: 30, window: '1h' },
      },
    }),
  ],
})
export class AppModule {}
