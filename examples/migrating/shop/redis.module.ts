import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { createClient } from 'redis';

export const REDIS = Symbol('redis');

const connect = () => createClient({ url: process.env['REDIS_URL'] ?? 'redis://localhost:6379' }).connect();

export type Redis = Awaited<ReturnType<typeof connect>>;

/** One connection of node-redis, for sessions of before and of now. */
@Module({ providers: [{ provide: REDIS, useFactory: connect }], exports: [REDIS] })
export class RedisModule implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly redis: Redis) {}

  onApplicationShutdown(): void {
    this.redis.destroy();
  }
}
