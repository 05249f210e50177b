import { Module } from '@nestjs/common';
import { Redis } from 'ioredis';
import { SessionAuthModule } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { UsersService } from '../quick-start/users.service.js';
import { AuditFile } from './audit-file.js';

export const client = new Redis(process.env['REDIS_URL'] ?? 'redis://localhost:6379');

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: {
        ...redisStorage({ client }), // sessions, remember-me tokens, counts
        audit: { useClass: AuditFile }, // and events in a file
      },
      users: { useClass: UsersService },
    }),
  ],
})
export class AppModule {}
