import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { signInAs, type SignedIn } from 'nestjs-session-auth/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { AppModule } from '../quick-start/app.module.js';

describe('notes', () => {
  let app: INestApplication<App>;
  let ada: SignedIn;

  beforeAll(async () => {
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = await testing.createNestApplication<INestApplication<App>>().init();
    ada = await signInAs(app, 'ada@example.com');
  });

  afterAll(() => app.close());

  it('are kept for who is signed in', async () => {
    await request(app.getHttpServer()).post('/notes').set(ada.headers).send({ text: 'hello' }).expect(201);
    await request(app.getHttpServer()).get('/notes').set('cookie', ada.cookie).expect(200, {
      author: 'ada@example.com',
      lastNote: 'hello',
    });
  });

  it('are refused without a CSRF token', async () => {
    const answer = await request(app.getHttpServer()).post('/notes').set('cookie', ada.cookie).expect(403);
    expect(answer.body).toMatchObject({ code: 'csrf_failed' });
  });

  it('are nobody else’s', async () => {
    await request(app.getHttpServer()).get('/notes').expect(401);
  });
});
