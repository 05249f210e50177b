import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Post, Req } from '@nestjs/common';
import {
  AuditLog,
  CsrfProtected,
  Public,
  RememberMeTokenStore,
  SessionAuthService,
  SessionLifecycleService,
  SessionStore,
  type AuditErasure,
  type SessionEvent,
} from 'nestjs-session-auth';
import { BankUsersService } from '../../src/users/bank-users.service.js';
import { REMEMBER_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { tokenIn } from '../support/forged-cookies.js';
import { leaksIn, secretOf } from '../support/leaks.js';

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const NAMES = { loginNames: ['alice@example.com', 'old-alice@example.com'] };

/** A login by other means than a password. */
@Public()
@CsrfProtected()
@Controller('sign-on')
class SignOnController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Post()
  async enter(@Req() request: object): Promise<void> {
    await this.auth.loginUser(request, { id: 'alice' }, 'custom', { rememberMe: true });
  }
}

/** An audit log of an application's own: records in memory, that a user can be erased from. */
class OwnAuditLog extends AuditLog {
  records: SessionEvent[] = [];
  readonly erasures: [string, AuditErasure][] = [];
  /** What the next erasure fails with. */
  failure: Error | undefined;

  override record(event: SessionEvent): void {
    this.records.push(event);
  }

  override exportUser(userId: string): Promise<readonly object[]> {
    return Promise.resolve(this.records.filter((record) => 'userId' in record && record.userId === userId));
  }

  override async eraseUser(userId: string, how: AuditErasure): Promise<number> {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    this.erasures.push([userId, how]);
    const theirs = await this.exportUser(userId);
    this.records = this.records.filter((record) => !theirs.includes(record));
    return theirs.length;
  }
}

describe.each(EVERYWHERE)('personal data on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let lifecycle: SessionLifecycleService;
  let alice: BankClient;
  let bob: BankClient;

  const start = async (audit: object = {}): Promise<void> => {
    const options = { storage: { ...backend.storage, ...audit } };
    bank = await startBank({ adapter, backend, options, module: { controllers: [SignOnController] } });
    lifecycle = bank.app.get(SessionLifecycleService);
    [alice, bob] = [bank.client(), bank.client()];
    alice.headers['user-agent'] = AGENT;
    for (const [client, name] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const) {
      await client.post('/auth/login', { email: `${name}@example.com`, password: 'a guess' });
      await client.login(name, { rememberMe: true });
      await client.ask('PATCH', '/api/preferences', { body: { theme: `the theme of ${name}` } });
    }
  };

  const restart = async (audit: object): Promise<void> => {
    await bank.close();
    await backend.close();
    backend = await openBackend(store);
    await start(audit);
  };

  beforeEach(async () => {
    backend = await openBackend(store);
    await start();
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  /** What the stores have of a user, by their own operations. */
  const keptOf = async (userId: string): Promise<unknown[]> => {
    const now = bank.clock.now();
    const { records } = await bank.app.get(SessionStore).list(userId, { limit: 1000 }, now);
    return [...records, ...(await bank.app.get(RememberMeTokenStore).list(userId, now))];
  };

  it('are exported: sessions with data, devices, counts of failed logins; and no token and no digest', async () => {
    await bank.client().post('/auth/login', { email: 'alice@example.com', password: 'a guess' });
    const kept = await lifecycle.exportUser('alice', NAMES);
    expect(kept).toMatchObject({
      userId: 'alice',
      sessions: [
        {
          userId: 'alice',
          email: 'alice@example.com',
          ip: '127.0.0.1',
          userAgent: AGENT,
          data: { theme: 'the theme of alice' },
          createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        },
      ],
      rememberedDevices: [{ ip: '127.0.0.1', userAgent: AGENT, lastUsedAt: expect.stringMatching(/^\d{4}-.*Z$/) }],
      missing: store === 'memory' || store === 'redis' ? ['LoggerAuditLog'] : [],
    });
    const counted = kept.loginCounts.map(({ of, kind }) => `${of}: ${kind}`);
    expect(counted).toEqual(expect.arrayContaining(['user: failures', 'user: known', 'login name: failures']));
    const text = JSON.stringify(kept);
    // a random id may have these three letters
    expect(text).not.toMatch(/\bbob\b|digest|fingerprint|validator|selector/i);
    const [session] = (await bank.app.get(SessionStore).list('alice', { limit: 1 }, bank.clock.now())).records;
    const [device] = await bank.app.get(RememberMeTokenStore).list('alice', bank.clock.now());
    const secrets = [
      secretOf('the token', tokenIn(bank, alice.sealed)!.slice(22)),
      secretOf('its digest', session!.digest.slice(22)),
      secretOf('the fingerprint', session!.fingerprint!),
      secretOf('the device', session!.device!),
      secretOf('the selector', device!.selector),
      secretOf('the validator', device!.validatorDigest),
    ];
    expect(leaksIn([text], secrets)).toEqual([]);
  });

  it('are erased: the cookies stop working, no store has anything left, and others keep theirs', async () => {
    const { cookie } = alice;
    const remembered = { cookie: `${REMEMBER_COOKIE}=${alice.cookies.get(REMEMBER_COOKIE)}` };
    const erased = await lifecycle.eraseUser('alice', NAMES);
    expect(erased).toMatchObject({ sessions: 1, rememberedDevices: 1 });
    expect(erased.loginCounts).toBeGreaterThanOrEqual(3);
    expect((await bank.client().get('/api/me', { cookie })).status).toBe(401);
    expect((await bank.client().get('/api/me', remembered)).status).toBe(401);
    expect(await keptOf('alice')).toEqual([]);
    const left = await lifecycle.exportUser('alice', NAMES);
    expect([left.sessions, left.rememberedDevices, left.loginCounts, left.auditRecords]).toEqual([[], [], [], []]);
    const again = await lifecycle.eraseUser('alice', { ...NAMES, audit: 'delete' });
    expect({ ...again, missing: [] }).toEqual({
      sessions: 0,
      rememberedDevices: 0,
      loginCounts: 0,
      auditRecords: 0,
      missing: [],
    });
    expect(await bob.isSignedIn()).toBe(true);
    bob.restart();
    expect(await bob.isSignedIn()).toBe(true);
    const { sessions, rememberedDevices, loginCounts } = await lifecycle.exportUser('bob');
    expect([sessions.length, rememberedDevices.length, loginCounts.length > 0]).toEqual([1, 1, true]);
  });

  it('leave counts of a login name that is not given, which expire by themselves', async () => {
    await lifecycle.eraseUser('alice');
    const { loginCounts } = await lifecycle.exportUser('alice', NAMES);
    expect(new Set(loginCounts.map(({ of }) => of))).toEqual(new Set(['login name']));
    expect((await lifecycle.eraseUser('alice', NAMES)).loginCounts).toBe(loginCounts.length);
  });

  it('are erased when they are over as well, and wait for the cleanup', async () => {
    bank.clock.advance(500 * 24 * 60 * 60_000);
    expect((await lifecycle.exportUser('alice', NAMES)).loginCounts).toEqual([]);
    expect((await lifecycle.eraseUser('alice', NAMES)).loginCounts).toBeGreaterThanOrEqual(3);
    expect((await lifecycle.eraseUser('alice', NAMES)).loginCounts).toBe(0);
  });

  /** Has an operation of a store wait, once, until the account is closed and the user erased. */
  const eraseBefore = (port: typeof SessionStore | typeof RememberMeTokenStore, name: string): void => {
    const operations = bank.app.get<object, Record<string, (...args: unknown[]) => unknown>>(port);
    const operation = operations[name]!.bind(operations);
    operations[name] = async (...args) => {
      operations[name] = operation;
      bank.app.get(BankUsersService).disable('alice');
      await lifecycle.eraseUser('alice', NAMES);
      return operation(...args);
    };
  };
  const login = (client: BankClient): Promise<Answer> => client.tryLogin('alice', { rememberMe: true });
  const signOn = (client: BankClient): Promise<Answer> => client.post('/sign-on');
  const comeBack = (client: BankClient): Promise<Answer> => {
    client.restart();
    return client.get('/api/me');
  };

  it.each([
    ['a login, before its session', SessionStore, 'create', login],
    ['a login, before its device', RememberMeTokenStore, 'create', login],
    ['a login by other means, before its device', RememberMeTokenStore, 'create', signOn],
    ['a remembered device, before its token is found', RememberMeTokenStore, 'find', comeBack],
    ['a remembered device, before its token is replaced', RememberMeTokenStore, 'replace', comeBack],
    ['a remembered device, before its session', SessionStore, 'create', comeBack],
  ])('leave nothing of %s: it was under way when the user was erased', async (_what, port, operation, enter) => {
    const client = enter === comeBack ? alice : bank.client();
    eraseBefore(port, operation);
    expect((await enter(client)).status).toBe(401);
    expect(await keptOf('alice')).toEqual([]);
    expect(await client.isSignedIn()).toBe(false);
    // it did happen while that was under way
    expect(bank.events.some((event) => event.type === 'session.destroyed' && event.userId === 'alice')).toBe(true);
  });

  it('are erased from the application’s audit log, which is called last, with the mode', async () => {
    await restart({ audit: { useClass: OwnAuditLog } });
    const log = bank.app.get<AuditLog, OwnAuditLog>(AuditLog);
    expect((await lifecycle.exportUser('alice')).auditRecords).toHaveLength(3);
    const ofBob = log.records.filter((record) => 'userId' in record && record.userId === 'bob').length;
    log.failure = new Error('the log is away');
    await expect(lifecycle.eraseUser('alice', { audit: 'delete' })).rejects.toMatchObject({
      code: 'session_store_unavailable',
      cause: log.failure,
    });
    // the rest was done, and what failed is made up for
    expect(await alice.isSignedIn()).toBe(false);
    const erased = await lifecycle.eraseUser('alice', { audit: 'delete' });
    expect(erased).toMatchObject({ sessions: 0, rememberedDevices: 0, missing: [] });
    expect(erased.auditRecords).toBeGreaterThanOrEqual(4);
    await lifecycle.eraseUser('alice');
    expect(log.erasures).toEqual([
      ['alice', 'delete'],
      ['alice', 'anonymise'],
    ]);
    expect(JSON.stringify(log.records)).not.toContain('alice');
    expect(log.records.filter((record) => 'userId' in record && record.userId === 'bob')).toHaveLength(ofBob);
  });

  it('are of users with an id that an account can have only', async () => {
    for (const id of ['', undefined, {}, '\ud800'] as never[]) {
      await expect(lifecycle.exportUser(id)).rejects.toMatchObject({ code: 'invalid_user' });
      await expect(lifecycle.eraseUser(id)).rejects.toMatchObject({ code: 'invalid_user' });
    }
  });
});
