import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Test } from '@nestjs/testing';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import type { DataSource } from 'typeorm';

describe('orders, each test in a transaction that is rolled back', () => {
  let app: INestApplication<App>;
  let dataSource: DataSource;

  beforeAll(async () => {
    process.env['DATABASE_URL'] ??= process.env['TEST_DATABASE_URL'];
    const { AppModule } = await import('./transactions.module.js');
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = await testing.createNestApplication<INestApplication<App>>().init();
    dataSource = app.get<DataSource>(getDataSourceToken());
    await dataSource.query('CREATE TEMPORARY TABLE orders (user_id text, item text)');
  });

  afterAll(() => app.close());

  // one connection, so every statement of the application is in it
  beforeEach(() => dataSource.query('BEGIN'));
  afterEach(() => dataSource.query('ROLLBACK'));

  it.each(['a book', 'a pen'])('keep %s, and nothing of the test before', async (item) => {
    const ada = await signInAs(app, { id: 'ada' });
    await request(app.getHttpServer()).post('/orders').set(ada.headers).send({ item }).expect(201);
    await request(app.getHttpServer()).get('/orders').set(ada.headers).expect(200, [{ item }]);
  });

  it('cannot bring back a session that ended', async () => {
    const ada = await signInAs(app, { id: 'ada' });
    await app.get(SessionLifecycleService).revokeAll('ada');
    await dataSource.query('ROLLBACK');
    await request(app.getHttpServer()).get('/orders').set(ada.headers).expect(401);
  });
});
