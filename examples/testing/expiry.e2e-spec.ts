import { describe, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Clock } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { AppModule } from '../quick-start/app.module.js';

class TestClock extends Clock {
  time = Date.now();
  override now(): number {
    return this.time;
  }
}

describe('a session', () => {
  it('ends after an hour without a request', async () => {
    const clock = new TestClock();
    const testing = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Clock)
      .useValue(clock)
      .compile();
    const app = await testing.createNestApplication<INestApplication<App>>().init();
    const ada = await signInAs(app, 'ada@example.com');
    clock.time += 59 * 60_000;
    await request(app.getHttpServer()).get('/notes').set(ada.headers).expect(200);
    clock.time += 61 * 60_000;
    await request(app.getHttpServer()).get('/notes').set(ada.headers).expect(401);
    await app.close();
  });
});
