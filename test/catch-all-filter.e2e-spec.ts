import { afterEach, describe, expect, it } from '@jest/globals';
import { Catch, HttpException, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { MemorySessionStore } from 'nestjs-session-auth';
import { ADAPTERS } from './support/bank.js';
import { type BankClient } from './support/bank-client.js';
import { closeApps, expectError, forRoot, log, start, Users, type Options } from './support/door-app.js';

afterEach(closeApps);

describe.each(ADAPTERS)('on %s', (adapter) => {
  describe('with a catch-all filter of the application', () => {
    /** The filter of Nest's documentation: what is no HttpException is a 500. */
    @Catch()
    class CatchAllFilter extends BaseExceptionFilter {
      override catch(error: unknown, host: ArgumentsHost): void {
        const known = error instanceof HttpException;
        const status = known ? error.getStatus() : 500;
        const body = known ? error.getResponse() : { statusCode: 500, message: 'caught all' };
        this.httpAdapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), body, status);
      }

      constructor(override readonly httpAdapterHost: HttpAdapterHost) {
        super(httpAdapterHost.httpAdapter);
      }
    }

    class DownStore extends MemorySessionStore {
      override find(): Promise<never> {
        return Promise.reject(new Error('ECONNREFUSED at a secret address'));
      }
    }

    const startCaught = (given: Partial<Options> = {}): Promise<BankClient> =>
      start(forRoot({ users: { useClass: Users }, ...given }), {
        adapter,
        configure: (app) => app.useGlobalFilters(new CatchAllFilter(app.get(HttpAdapterHost))),
      });

    it('keeps status and body of what guards, decorators and endpoints refuse', async () => {
      const client = await startCaught();
      for (const path of ['/guarded', '/admin', '/recent', '/user', '/auth/session']) {
        expectError(await client.get(path), 401, 'session_required');
      }
      expectError(await client.tryLogin('nobody'), 401, 'invalid_credentials');
      await client.get('/enter');
      expectError(await client.get('/admin'), 403, 'forbidden');
      expectError(await client.post('/protected', {}, { csrf: false }), 403, 'csrf_failed');
      expect(await client.get('/broken')).toMatchObject({ status: 500, json: { message: 'caught all' } });
    });

    it('keeps them for global: true', async () => {
      expectError(await (await startCaught({ global: true })).get('/unmarked'), 401, 'session_required');
    });

    it('answers 503 with Retry-After where the store is down, and logs why', async () => {
      const client = await startCaught();
      await client.get('/enter');
      const down = await startCaught({ storage: { sessions: { useClass: DownStore } } });
      for (const path of ['/guarded', '/admin', '/recent', '/open', '/user', '/auth/session']) {
        const answer = await down.get(path, { cookie: client.cookie });
        expectError(answer, 503, 'session_store_unavailable');
        expect(answer.headers['retry-after']).toBe('1');
        expect(answer.text).not.toContain('ECONNREFUSED');
      }
      expect(log.filter(({ text }) => text.includes('ECONNREFUSED at a secret address'))).toHaveLength(6);
    });
  });

  it('answers in the same way without any filter', async () => {
    const client = await start(forRoot({ users: { useClass: Users } }), { adapter });
    expectError(await client.get('/guarded'), 401, 'session_required');
    expectError(await client.tryLogin('nobody'), 401, 'invalid_credentials');
    await client.get('/enter');
    expectError(await client.get('/admin'), 403, 'forbidden');
  });
});
