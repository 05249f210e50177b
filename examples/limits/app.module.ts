import { Module } from '@nestjs/common';
import { SessionAuthModule, type SessionUser } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      users: { useClass: UsersService },
      concurrency: {
        onLimit: 'evict-least-recent',
        max: ({ roles }: SessionUser) => (roles?.includes('admin') ? { max: 1, onLimit: 'reject' } : 5),
      },
    }),
  ],
})
export class AppModule {}
