import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Controller, Inject, Injectable, Post, Req, type BeforeApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionAuthService } from 'nestjs-session-auth';
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { EVERYWHERE, ADAPTERS, openBackend, startBank } from '../support/bank.js';
import { createTestDatabase } from '../support/postgres-database.js';

describe.each(EVERYWHERE)('a node that is told to end, on $adapter with $store', ({ adapter, store }) => {
  it('responds to the requests under way, and accepts no new ones', async () => {
    const backend = await openBackend(store);
    const bank = await startBank({ adapter, backend });
    const alice = bank.client();
    await alice.login('alice');
    const csrf = await alice.csrfToken();
    // a connection is not enough: Fastify refuses a request that it reads later
    const begun = once(bank.app.getHttpServer() as Server, 'request');
    const slow = alice.ask('PATCH', '/api/preferences?delay=500', { body: { late: true }, csrf });
    await begun;
    const closed = bank.close();
    expect(await slow).toMatchObject({ status: 200, json: { late: true } });
    await closed;
    await expect(alice.get('/api/me')).rejects.toThrow(/ECONNREFUSED/);
    const next = await startBank({ adapter, backend });
    expect((await next.client().get('/api/preferences', { cookie: alice.cookie })).json).toEqual({ late: true });
    await next.close();
    await backend.close();
  });

  it('leaves nothing behind that keeps a process alive, and the connections of the application alone', async () => {
    const oneConnection = { poolSize: 1, extra: { idleTimeoutMillis: 0 } };
    const backend = await openBackend(store, undefined, {}, oneConnection);
    const { storage } = backend;
    await backend.redis?.ping();
    const first = await startBank({ adapter, backend: { ...backend, storage } });
    await first.client().login('bob');
    await first.close();
    const before = running();
    const bank = await startBank({ adapter, backend: { ...backend, storage }, options: { cleanup: { every: '1h' } } });
    const alice = bank.client();
    await alice.login('alice', { rememberMe: true });
    await bank.client().post('/auth/login', { email: 'alice@example.com', password: 'a guess' });
    await alice.post('/auth/logout');
    await bank.close();
    // what the first node had may still have been about to end: never more than then
    await until(() => running().every((count, kind) => count <= before[kind]!));
    if (backend.redis !== undefined) expect(await backend.redis.ping()).toBe('PONG');
    if (backend.dataSource !== undefined)
      expect(await backend.dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const next = await startBank({ adapter, backend: { ...backend, storage } });
    await next.client().login('alice');
    await next.close();
    await backend.close();
  });
});

/** Makes a request wait until the application has begun to end. */
@Injectable()
class Ending implements BeforeApplicationShutdown {
  hasEntered = false;
  hasBegun = false;
  go: () => void = () => undefined;
  readonly gate = new Promise<void>((resolve) => (this.go = resolve));

  beforeApplicationShutdown(): void {
    this.hasBegun = true;
  }
}

@Controller('late-login')
class LateLoginController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(Ending) private readonly ending: Ending,
  ) {}

  @Post()
  async login(@Req() request: object): Promise<void> {
    this.ending.hasEntered = true;
    await this.ending.gate;
    await this.auth.loginUser(request, { id: 'late', email: 'late@example.com', roles: [] });
  }
}

it.each(ADAPTERS)(
  'the audit log has what the last request did, though the database was slow, on %s',
  async (adapter) => {
    const database = await createTestDatabase();
    const dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
    const memory = await openBackend('memory');
    const bank = await startBank({
      adapter,
      backend: { ...memory, storage: typeOrmStorage() },
      module: {
        imports: [TypeOrmModule.forRoot({ type: 'postgres', url: database.url })],
        controllers: [LateLoginController],
        providers: [Ending],
      },
    });
    const ending = bank.app.get(Ending);
    const late = bank.client().post('/late-login', undefined, { csrf: false });
    await until(() => ending.hasEntered);
    const closed = bank.close();
    await until(() => ending.hasBegun);

    const blocker = dataSource.createQueryRunner();
    await blocker.startTransaction();
    await blocker.query('LOCK TABLE session_auth_audit_event IN EXCLUSIVE MODE');
    ending.go();
    expect((await late).status).toBe(201);
    await until(async () => {
      const waiting = await dataSource.query<unknown[]>('SELECT 1 FROM pg_locks WHERE NOT granted');
      return waiting.length > 0;
    });
    await blocker.commitTransaction();
    await blocker.release();
    await closed;
    const rows = await dataSource.query<unknown[]>('SELECT event, user_id FROM session_auth_audit_event');
    expect(rows).toEqual([{ event: 'session_created', user_id: 'late' }]);
    await database.close();
  },
);

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await isSo()); await pause(5)) {
    if (Date.now() > end) throw new Error(`waited in vain for ${isSo.toString()}`);
  }
}

/** How many timers and connections keep this process alive. */
function running(): number[] {
  const all = process.getActiveResourcesInfo();
  return ['Timeout', 'TCPSocketWrap', 'TCPServerWrap'].map((kind) => all.filter((each) => each === kind).length);
}
