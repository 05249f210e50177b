import { Module } from '@nestjs/common';
import { Redis } from 'ioredis';
import { SessionAuthModule } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';
import { SettingsModule } from './settings.module.js';
import { SettingsService } from './settings.service.js';

@Module({
  imports: [
    SettingsModule,
    SessionAuthModule.forRootAsync({
      imports: [SettingsModule, UsersModule],
      inject: [SettingsService],
      useFactory: (settings: SettingsService) => ({
        secrets: settings.sessionSecrets,
        lifetime: { idle: '30m', absolute: '12h', rotateEvery: '15m' },
        concurrency: { max: 5, onLimit: 'evict-least-recent' },
      }),
      storage: redisStorage({ inject: Redis }), // the client is a provider of SettingsModule
      users: { useExisting: UsersService },
    }),
  ],
})
export class AppModule {}
