import { Module } from '@nestjs/common';
import { Redis } from 'ioredis';
import { SessionAuthModule } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { UsersService } from '../quick-start/users.service.js';

const sentinels = (process.env['REDIS_SENTINELS'] ?? 'localhost:26379').split(',').map((address) => {
  const [host, port] = address.split(':');
  return { host, port: Number(port) };
});

export const client = new Redis({
  sentinels,
  name: process.env['REDIS_MASTER'] ?? 'mymaster',
  sentinelRetryStrategy: (attempt) => Math.min(attempt * 50, 500),
  retryStrategy: (attempt) => Math.min(attempt * 50, 500),
  // a master that has just become a replica: look for the new one, and send the command there
  reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  maxRetriesPerRequest: 3,
  connectTimeout: 2000,
  socketTimeout: 2000,
});

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
