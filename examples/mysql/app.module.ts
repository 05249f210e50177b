import { Module } from '@nestjs/common';
import { createPool } from 'mysql2/promise';
import { SessionAuthModule } from 'nestjs-session-auth';
import { mysqlStorage } from 'nestjs-session-auth/mysql';
import { UsersService } from '../quick-start/users.service.js';

export const pool = createPool(process.env['MYSQL_URL'] ?? 'mysql://localhost/bank');

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: mysqlStorage({ pool }),
      users: { useClass: UsersService },
    }),
  ],
})
export class AppModule {}
