import { Module } from '@nestjs/common';
import { createPool } from 'mysql2/promise';
import { SessionAuthModule } from 'nestjs-session-auth';
import { mysqlStorage } from 'nestjs-session-auth/mysql';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';

export const pool = createPool(process.env['MYSQL_URL'] ?? 'mysql://localhost/bank');

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: mysqlStorage({ pool }),
      imports: [UsersModule],
      users: { useExisting: UsersService },
    }),
  ],
})
export class AppModule {}
