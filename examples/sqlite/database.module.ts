import { readFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type Database from 'better-sqlite3';
import { DataSource } from 'typeorm';
import type { BetterSqlite3Driver } from 'typeorm/driver/better-sqlite3/BetterSqlite3Driver.js';

export const DATABASE = Symbol('SQLite');

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: process.env['SQLITE_FILE']!,
      enableWAL: true,
      prepareDatabase: (database: Database.Database) => {
        const schema = new URL(import.meta.resolve('nestjs-session-auth/sqlite/schema.sql'));
        database.exec(readFileSync(schema, 'utf8'));
      },
    }),
  ],
  providers: [
    {
      provide: DATABASE,
      inject: [DataSource],
      useFactory: ({ driver }: DataSource) => (driver as BetterSqlite3Driver).databaseConnection as Database.Database,
    },
  ],
  exports: [DATABASE],
})
export class DatabaseModule {}
