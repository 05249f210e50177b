import { Module } from '@nestjs/common';
import { Redis } from 'ioredis';
import { SessionAuthModule } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { UsersService } from '../quick-start/users.service.js';

export const client = new Redis(process.env['REDIS_URL'] ?? 'redis://localhost:6379');

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: redisStorage({ client, link: true }),
      nearCache: { bound: '250ms', maxSessions: 10_000 },
      users: { useClass: UsersService },
    }),
  ],
})
export class AppModule {}
