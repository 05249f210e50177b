import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { CsrfProtected, CurrentSession } from 'nestjs-session-auth';
import type { DataSource } from 'typeorm';

/** Orders, kept in the application's own table. */
@Controller('orders')
export class OrdersController {
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
