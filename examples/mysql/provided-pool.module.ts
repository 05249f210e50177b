import { Module } from '@nestjs/common';
import { createPool } from 'mysql2/promise';
import { SessionAuthModule } from 'nestjs-session-auth';
import { mysqlStorage } from 'nestjs-session-auth/mysql';
import { UsersService } from '../quick-start/users.service.js';

export const POOL = Symbol('MySQL pool');

@Module({
  providers: [{ provide: POOL, useFactory: () => createPool(process.env['MYSQL_URL']!) }],
  exports: [POOL],
})
export class DatabaseModule {}

@Module({
  imports: [
    DatabaseModule,
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: mysqlStorage({ inject: POOL, audit: { retention: '90d' } }),
      imports: [DatabaseModule],
      users: { useClass: UsersService },
    }),
  ],
})
export class ProvidedPoolModule {}
