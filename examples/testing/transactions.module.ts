import { Body, Controller, Get, Inject, Module, Post } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { CsrfProtected, CurrentSession, SessionAuthModule } from 'nestjs-session-auth';
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';

/** Orders, kept in the application's own table. */
@Controller('orders')
class OrdersController {
  constructor(@Inject(getDataSourceToken()) private readonly dataSource: DataSource) {}

  @CsrfProtected()
  @Post()
  async add(@CurrentSession('userId') userId: string, @Body() { item }: { item: string }): Promise<void> {
    await this.dataSource.query('INSERT INTO orders (user_id, item) VALUES ($1, $2)', [userId, item]);
  }

  @Get()
  list(@CurrentSession('userId') userId: string): Promise<{ item: string }[]> {
    return this.dataSource.query('SELECT item FROM orders WHERE user_id = $1', [userId]);
  }
}

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
