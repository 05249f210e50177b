import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AuditLog,
  RememberMeTokenStore,
  SessionLifecycleService,
  SessionStore,
  type AuditErasure,
  type SessionEvent,
} from 'nestjs-session-auth';
import { BankUsersService } from '../../src/users/bank-users.service.js';
import { REMEMBER_COOKIE, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { tokenIn } from '../support/forged-cookies.js';
import { leaksIn, secretOf } from '../support/leaks.js';

const HOUR = 60 * 60_000;
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const NAMES = { loginNames: ['alice@example.com', 'old-alice@example.com'] };

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
    bank = await startBank({ adapter, backend, options: { storage: { ...backend.storage, ...audit } } });
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
      missing: store === 'postgres' ? [] : ['LoggerAuditLog'],
    });
    const counted = kept.loginCounts.map(({ of, kind }) => `${of}: ${kind}`);
    expect(counted).toEqual(expect.arrayContaining(['user: failures', 'user: known', 'login name: failures']));
    const text = JSON.stringify(kept);
    expect(text).not.toMatch(/bob|digest|fingerprint|validator|selector/i);
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

  it('are erased: the cookies are worth nothing, no store has anything left, and others keep theirs', async () => {
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

  it('leave nothing of logins and remembered devices that are under way when the account goes', async () => {
    for (let round = 0; round < 5; round += 1) {
      const devices = Array.from({ length: 3 }, () => bank.client());
      for (const device of devices) await device.login('admin', { rememberMe: true });
      const returning = devices.map((device) => {
        device.restart();
        return device.get('/api/me');
      });
      const logins = Array.from({ length: 4 }, () => bank.client().tryLogin('admin', { rememberMe: true }));
      const users = bank.app.get(BankUsersService);
      await Promise.race([...logins, ...returning]);
      users.disable('admin');
      const erasing = lifecycle.eraseUser('admin');
      await Promise.all([...logins, ...returning, erasing]);
      expect(await keptOf('admin')).toEqual([]);
      for (const device of devices) expect(await device.isSignedIn()).toBe(false);
      // the accounts are there again, and what was refused is forgiven
      await users.onModuleInit();
      bank.clock.advance(2 * HOUR);
    }
  });

  it('are erased from an audit log of the application’s own, which is asked last and told how', async () => {
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
