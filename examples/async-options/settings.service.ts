import { Injectable } from '@nestjs/common';

@Injectable()
export class SettingsService {
  /** Newest first. */
  readonly sessionSecrets = (process.env['SESSION_SECRETS'] ?? '').split(',');
  readonly redisUrl = process.env['REDIS_URL'] ?? 'redis://localhost:6379';
}
