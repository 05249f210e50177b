import { Module } from '@nestjs/common';
import { Redis } from 'ioredis';
import { SettingsService } from './settings.service.js';

@Module({
  providers: [
    SettingsService,
    { provide: Redis, inject: [SettingsService], useFactory: ({ redisUrl }: SettingsService) => new Redis(redisUrl) },
  ],
  exports: [SettingsService, Redis],
})
export class SettingsModule {}
