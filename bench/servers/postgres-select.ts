import { Body, Controller, Get, Inject, Module, Post, Req, Res, type INestApplication } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { cookieOf, createApp } from './nest-app.ts';
import { sessionPayload } from './session-payload.ts';
import type { ServerSpec, StoreAddresses } from './server-spec.ts';

type Replying = { header(name: string, value: string): unknown };

@Controller()
class PostgresSelectController {
  constructor(@Inject(pg.Pool) private readonly pool: pg.Pool) {}

  @Get('me')
  async me(@Req() request: { headers: { cookie?: string } }): Promise<object> {
    const { rows } = await this.pool.query<{ sess: { userId: string } }>({
      name: 'read',
      text: 'SELECT sess FROM bare_session WHERE sid = $1 AND expire > now()',
      values: [cookieOf(request, 'sid')],
    });
    return { userId: rows[0]!.sess.userId };
  }

  @Post('login')
  async login(@Body('user') user: string, @Res({ passthrough: true }) response: Replying): Promise<object> {
    const id = randomUUID();
    await this.pool.query(`INSERT INTO bare_session VALUES ($1, $2, now() + interval '1 hour')`, [
      id,
      sessionPayload(user),
    ]);
    response.header('set-cookie', `sid=${id}`);
    return {};
  }
}

/** The practical limit of a session in PostgreSQL: one prepared SELECT by the primary key in the handler. */
export async function open({ adapter }: ServerSpec, { databaseUrl }: StoreAddresses): Promise<INestApplication> {
  const pool = new pg.Pool({ connectionString: databaseUrl });
  await pool.query(
    'CREATE TABLE IF NOT EXISTS bare_session (sid text PRIMARY KEY, sess json NOT NULL, expire timestamptz NOT NULL)',
  );

  @Module({ controllers: [PostgresSelectController], providers: [{ provide: pg.Pool, useValue: pool }] })
  class PostgresSelectModule {}
  return createApp(PostgresSelectModule, adapter);
}
