import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { Redis } from 'ioredis';
import { SessionAuthModule } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';
import { RedisModule } from './redis.module.js';

@Module({
  imports: [
    ConfigModule.forRoot(), // reads .env
    SessionAuthModule.forRootAsync({
      imports: [ConfigModule, RedisModule, UsersModule],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        secrets: config.getOrThrow<string>('SESSION_SECRETS').split(','), // newest first
        lifetime: { idle: '30m', absolute: '12h', rotateEvery: '15m' },
        concurrency: { max: 5, onLimit: 'evict-least-recent' },
      }),
      storage: redisStorage({ inject: Redis }), // the client is a provider of RedisModule
      users: { useExisting: UsersService },
    }),
  ],
})
export class AppModule {}
