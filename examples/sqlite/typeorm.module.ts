import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { sqliteStorage } from 'nestjs-session-auth/sqlite';
import { UsersService } from '../quick-start/users.service.js';
import { DATABASE, DatabaseModule } from './database.module.js';

@Module({
  imports: [
    DatabaseModule,
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: sqliteStorage({ inject: DATABASE, audit: { retention: '90d' } }),
      imports: [DatabaseModule],
      users: { useClass: UsersService },
    }),
  ],
})
export class TypeOrmAppModule {}
