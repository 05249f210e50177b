import { readFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import Database from 'better-sqlite3';
import { SessionAuthModule } from 'nestjs-session-auth';
import { sqliteStorage } from 'nestjs-session-auth/sqlite';
import { UsersService } from '../quick-start/users.service.js';

export const database = new Database(process.env['SQLITE_FILE'] ?? 'bank.db');
database.pragma('journal_mode = WAL');
database.exec(readFileSync(new URL(import.meta.resolve('nestjs-session-auth/sqlite/schema.sql')), 'utf8'));

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: sqliteStorage({ database }),
      users: { useClass: UsersService },
      rememberMe: {},
      concurrency: { max: 2 },
    }),
  ],
})
export class AppModule {}
