import { Module } from '@nestjs/common';
import { Cluster } from 'ioredis';
import { SessionAuthModule } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { UsersService } from '../quick-start/users.service.js';

// some of the members: the client finds the others
const members = (process.env['REDIS_CLUSTER'] ?? 'localhost:7000,localhost:7001').split(',').map((address) => {
  const [host, port] = address.split(':');
  return { host, port: Number(port) };
});

export const client = new Cluster(members, {
  clusterRetryStrategy: (attempt) => Math.min(attempt * 50, 500),
  redisOptions: { maxRetriesPerRequest: 3, connectTimeout: 2000, socketTimeout: 2000 },
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
