import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  HttpException,
  Inject,
  Post,
  Req,
  type ArgumentsHost,
  type INestApplication,
} from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { MemorySessionStore, SessionAuthService } from 'nestjs-session-auth';
import { CatchAllFilter as DocumentedFilter } from '../../examples/errors/catch-all.filter.js';
import { ADAPTERS } from '../support/bank.js';
import { type BankClient } from '../support/bank-client.js';
import { closeApps, expectError, forRoot, log, start, Users, type Options } from '../support/door-app.js';

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

    it('responds 503 with Retry-After if the store is down, and logs the reason', async () => {
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

  describe('in a handler of the application that calls a service', () => {
    @Controller('own')
    class OwnController {
      constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

      @Post('login')
      async login(@Req() request: object): Promise<void> {
        await this.auth.login(request, { email: 'nobody@example.com', password: 'wrong' });
      }

      @Get('rotate')
      async rotate(@Req() request: object): Promise<void> {
        await this.auth.rotate(request);
      }

      @Get('visit')
      async visit(@Req() request: object): Promise<void> {
        await this.auth.ensureSession(request);
      }
    }

    const startOwn = (configure?: (app: INestApplication) => void): Promise<BankClient> =>
      start(
        forRoot({
          users: { useClass: Users },
          storage: { sessions: { useFactory: () => new MemorySessionStore({ maxSessions: 1 }) } },
        }),
        { adapter, configure, module: { imports: [{ module: class {}, controllers: [OwnController] }] } },
      );

    it.each([
      ['without a filter', undefined],
      [
        'with the filter of the guide',
        (app: INestApplication) => void app.useGlobalFilters(new DocumentedFilter(app.get(HttpAdapterHost))),
      ],
    ])('errors have their status, code and Retry-After %s', async (_what, configure) => {
      const client = await startOwn(configure);
      expectError(await client.post('/own/login', {}), 401, 'invalid_credentials');
      expectError(await client.get('/own/rotate'), 401, 'session_required');
      expect((await client.get('/own/visit')).status).toBe(200);
      const full = await client.get('/own/visit', { cookie: 'other=1' });
      expectError(full, 503, 'session_store_unavailable');
      expect(full.headers['retry-after']).toBe('1');
      expect(full.text).not.toContain('full');
      const broken = await client.get('/broken');
      expect(broken.status).toBe(500);
      expect(broken.text).not.toContain('a defect of the application');
    });
  });

  it('responds in the same way without any filter', async () => {
    const client = await start(forRoot({ users: { useClass: Users } }), { adapter });
    expectError(await client.get('/guarded'), 401, 'session_required');
    expectError(await client.tryLogin('nobody'), 401, 'invalid_credentials');
    await client.get('/enter');
    expectError(await client.get('/admin'), 403, 'forbidden');
  });
});
