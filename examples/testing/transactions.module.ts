import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionAuthModule } from 'nestjs-session-auth';
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { OrdersController } from './orders.controller.js';

const isTest = process.env['NODE_ENV'] === 'test';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env['DATABASE_URL'],
      migrations: [CreateSessionAuthTables],
      extra: { max: isTest ? 1 : 10 },
    }),
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      storage: isTest ? 'memory' : typeOrmStorage(),
      global: true,
    }),
  ],
  controllers: [OrdersController],
})
export class AppModule {}
