import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionAuthModule } from 'nestjs-session-auth';
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { UsersService } from '../quick-start/users.service.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'mariadb',
      url: process.env['MYSQL_URL'],
      migrations: [CreateSessionAuthTables],
      migrationsRun: true, // or `typeorm migration:run` when you deploy
    }),
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: typeOrmStorage(),
      users: { useClass: UsersService },
    }),
  ],
})
export class TypeOrmAppModule {}
