import { Module } from '@nestjs/common';
import { SessionAuthModule, type FingerprintRequest } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';

/** The country according to the proxy; undefined, which is never a mismatch, if the proxy does not know it. */
function countryOf({ headers }: FingerprintRequest): string | undefined {
  const country = headers['x-country'];
  return typeof country === 'string' && country !== 'XX' ? country : undefined;
}

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      users: { useClass: UsersService },
      fingerprint: {
        custom: countryOf,
        onMismatch: { 'user-agent': 'destroy', custom: 'reject' },
      },
    }),
  ],
})
export class AppModule {}
