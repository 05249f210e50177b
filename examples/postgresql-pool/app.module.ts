import { Module } from '@nestjs/common';
import { Pool } from 'pg';
import { SessionAuthModule } from 'nestjs-session-auth';
import { postgresStorage } from 'nestjs-session-auth/postgres';
import { UsersService } from '../quick-start/users.service.js';

export const pool = new Pool({
  connectionString: process.env['DATABASE_URL'],
  connectionTimeoutMillis: 2000, // as long as storeTimeout
});

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: postgresStorage({ pool }),
      users: { useClass: UsersService },
    }),
  ],
})
export class AppModule {}
