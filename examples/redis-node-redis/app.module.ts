import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { createClient } from 'redis';
import { UsersService } from '../quick-start/users.service.js';

export const client = createClient({ url: process.env['REDIS_URL'] ?? 'redis://localhost:6379' });

client.on('error', (error: Error) => console.error(`Redis: ${error.message}`));
// it does not connect by itself
await client.connect();

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: redisStorage({ client }),
      users: { useClass: UsersService },
    }),
  ],
})
export class AppModule {}
