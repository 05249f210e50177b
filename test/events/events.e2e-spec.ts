import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import {
  AuditLog,
  LoggerAuditLog,
  NewSessionNotifier,
  SessionEventPublisher,
  SessionLifecycleService,
  toAuditEntry,
  type NewSessionNotice,
  type SessionEvent,
  type SessionUser,
} from 'nestjs-session-auth';
import { DEVICE_COOKIE, SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank, type BankSetup } from '../support/bank.js';
import { tokenIn } from '../support/forged-cookies.js';
import { leaksIn, secretOf } from '../support/leaks.js';
import { StoppedClock } from '../support/manual-clock.js';

const MINUTE = 60_000;

@Injectable()
class Listeners {
  readonly created: SessionEvent[] = [];
  readonly all: SessionEvent[] = [];

  @OnEvent('session.created')
  onCreated(event: SessionEvent): void {
    this.created.push(event);
  }

  @OnEvent('session.*')
  onAny(event: SessionEvent): void {
    this.all.push(event);
  }
}

@Injectable()
class FailingListeners {
  @OnEvent('session.created', { suppressErrors: false })
  throws(): void {
    throw new Error('an @OnEvent method that throws');
  }

  @OnEvent('session.destroyed', { suppressErrors: false })
  async rejects(): Promise<void> {
    await Promise.reject(new Error('an @OnEvent method that rejects'));
  }

  @OnEvent('session.rotated')
  async hangs(): Promise<void> {
    await new Promise(() => undefined);
  }
}

class RecordingAuditLog extends AuditLog {
  readonly events: SessionEvent[] = [];

  override record(event: SessionEvent): void {
    this.events.push(event);
  }
}

class FailingAuditLog extends AuditLog {
  override record(event: SessionEvent): Promise<void> {
    if (event.type === 'login.failed') throw new Error('an audit log that throws');
    return Promise.reject(new Error('an audit log that rejects'));
  }
}

class RecordingNotifier extends NewSessionNotifier {
  readonly asked: string[] = [];
  readonly sent: NewSessionNotice[] = [];

  override wants(user: SessionUser): boolean {
    this.asked.push(String(user.id));
    return user.id === 'alice';
  }

  override send(notice: NewSessionNotice): void {
    this.sent.push(notice);
  }
}

class FailingNotifier extends NewSessionNotifier {
  override wants(user: SessionUser): Promise<boolean> {
    if (user.id === 'bob') throw new Error('a notifier that throws');
    return user.id === 'alice' ? Promise.resolve(true) : new Promise(() => undefined);
  }

  override send(): Promise<void> {
    return Promise.reject(new Error('a notifier that rejects'));
  }
}

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

describe.each(EVERYWHERE)('events on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank | undefined;

  beforeEach(async () => {
    backend = await openBackend(store);
  });

  afterEach(async () => {
    await bank?.close();
    await backend.close();
  });

  async function start(setup: Partial<BankSetup>): Promise<Bank> {
    bank = await startBank({ adapter, backend, ...setup });
    return bank;
  }

  /** @param gotToken is called each time that the client has another token */
  async function lifeOf(client: BankClient, gotToken: () => unknown = () => undefined): Promise<void> {
    await client.login('alice');
    gotToken();
    expect((await client.post('/auth/reauthenticate', { password: 'alice-demo-password' })).status).toBe(200);
    gotToken();
    expect((await client.post('/auth/logout')).status).toBe(204);
  }

  it('reach @OnEvent methods, by name and by wildcard', async () => {
    const { app, events, client } = await start({
      module: { imports: [EventEmitterModule.forRoot({ wildcard: true })], providers: [Listeners] },
    });
    await lifeOf(client());
    const { created, all } = app.get(Listeners);
    expect(created).toEqual([events[0]]);
    expect(all.map((event) => event.type)).toEqual(['session.created', 'session.rotated', 'session.destroyed']);
    expect(all).toEqual(events);
  });

  it('break no request when an @OnEvent method throws, rejects or never ends, and the failure is reported', async () => {
    const { log, client } = await start({
      module: { imports: [EventEmitterModule.forRoot()], providers: [FailingListeners] },
    });
    await lifeOf(client());
    await lifeOf(client());
    expect(log.filter((line) => line.includes('an @OnEvent method that throws'))).toHaveLength(2);
    expect(log.filter((line) => line.includes('an @OnEvent method that rejects'))).toHaveLength(2);
  });

  it('break no request when a listener, the notifier or the audit log fails, and each failure is reported', async () => {
    const { app, log, events, client } = await start({
      options: {
        storage: { ...backend.storage, audit: { useClass: FailingAuditLog } },
        notifier: { useClass: FailingNotifier },
      },
    });
    app.get(SessionEventPublisher).subscribe(() => {
      throw new Error('a listener that throws');
    });
    await lifeOf(client());
    await client().login('bob');
    await client().login('admin');
    expect((await client().post('/auth/login', { email: 'bob@example.com', password: 'x' })).status).toBe(401);
    expect(events).toHaveLength(6);
    const reports = (text: string): number => log.filter((line) => line.includes(text)).length;
    expect(reports('a listener that throws')).toBe(6);
    expect(reports('an audit log that rejects')).toBe(5);
    expect(reports('an audit log that throws')).toBe(1);
    expect(reports('a notifier that throws')).toBe(1);
    expect(reports('a notifier that rejects')).toBe(1);
  });

  it('reach the audit log: who, which session, when, and no token', async () => {
    const { app, client, clock } = await start({
      options: { storage: { ...backend.storage, audit: { useClass: RecordingAuditLog } } },
    });
    const alice = client();
    const before = clock.now();
    const sealed: string[] = [];
    await lifeOf(alice, () => sealed.push(alice.sealed));
    const { events } = app.get<AuditLog, RecordingAuditLog>(AuditLog);
    const entries = events.map(toAuditEntry);
    expect(entries.map((entry) => entry.event)).toEqual(['session_created', 'session_renewed', 'session_destroyed']);
    for (const entry of entries) {
      expect(entry).toMatchObject({ userid: 'alice', session: expect.stringMatching(/^[\w-]{20}$/), level: 'info' });
      expect(Date.parse(entry.datetime)).toBeGreaterThanOrEqual(before);
      expect(entry.source_ip).toMatch(/127\.0\.0\.1$/);
    }
    expect(new Set(entries.map((entry) => entry.session)).size).toBe(1);
    expect(entries[2]).toMatchObject({ reason: 'logout' });
    expect(sealed).toHaveLength(2);
    // behind shard tag and handle, which are public
    const tokens = sealed.map((cookie) => tokenIn(bank!, cookie)!.slice(22));
    const secrets = [...sealed, ...tokens].map((text) => secretOf('a token', text));
    expect(leaksIn([JSON.stringify(events), JSON.stringify(entries)], secrets)).toEqual([]);
  });

  it('reach the audit log as one record a minute where they come in floods, each of another person by itself', async () => {
    const clock = new StoppedClock();
    const options = { storage: { ...backend.storage, audit: { useClass: RecordingAuditLog } }, loginThrottle: false };
    const { app, events, client } = await start({ clock, options } as Partial<BankSetup>);
    const alice = client();
    await alice.login('alice');
    const { sealed } = alice;
    await alice.post('/auth/logout');
    const fail = (name: string): Promise<unknown> =>
      client().post('/auth/login', { email: `${name}@example.com`, password: 'another password' });
    const flood = async (): Promise<void> => {
      await fail('alice');
      await client().get('/api/me', { cookie: `${SESSION_COOKIE}=${sealed}` });
      await client().post('/auth/login', {}, { csrf: 'made up' });
    };
    for (let time = 0; time < 10; time += 1) await flood();
    await fail('bob');
    const { events: recorded } = app.get<AuditLog, RecordingAuditLog>(AuditLog);
    const told = (): unknown[] => recorded.slice(2).map(({ type, repeated }) => [type, repeated]);
    const first = ['login.failed', 'session.used_after_end', 'csrf.rejected', 'login.failed'];
    expect(told()).toEqual(first.map((type) => [type, undefined]));
    clock.advance(MINUTE);
    await flood();
    expect(told().slice(4)).toEqual([
      ['login.failed', 9],
      ['session.used_after_end', 9],
      ['csrf.rejected', 9],
      ...first.slice(0, 3).map((type) => [type, undefined]),
    ]);
    // listeners hear of each
    expect(events.filter(({ type }) => type === 'login.failed')).toHaveLength(12);
  });

  it('are lines of JSON in the log by default, which no User-Agent can forge', async () => {
    const { app, log } = await start({
      options: { storage: { ...backend.storage, audit: { useClass: LoggerAuditLog } } },
    });
    const forged = 'curl/8\r\n{"event":"session_created","userid":"admin"}\u2028\u0085\u0000\u001b[2J';
    await app.get(SessionLifecycleService).create({ user: { id: 'alice' }, client: { userAgent: forged } });
    const lines = log.filter((line) => line.includes('session_created'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/[\p{Cc}\u2028]/u);
    const entry = JSON.parse(/\{.*\}/.exec(lines[0]!)![0]) as Record<string, unknown>;
    expect(entry).toMatchObject({ event: 'session_created', level: 'info', userid: 'alice' });
  });

  it('say whether the device is new to the user, by a cookie that a login sets', async () => {
    const { events, client } = await start({});
    const newDevices = (): unknown[] =>
      events.flatMap((event) => (event.type === 'session.created' ? [[event.userId, event.newDevice]] : []));
    const device = client();
    expect((await device.get('/api/me')).setCookies).toEqual([]);
    await device.login('alice');
    await device.post('/auth/logout');
    await device.login('alice');
    await device.post('/auth/logout');
    // the device is not new, but new to this user
    await device.login('bob');
    await device.post('/auth/logout');
    await device.login('alice');
    await client().login('alice');
    const altered = client();
    altered.cookies.set(DEVICE_COOKIE, `${device.cookies.get(DEVICE_COOKIE)!.slice(0, -2)}AA`);
    await altered.login('alice');
    expect(newDevices()).toEqual([
      ['alice', true],
      ['alice', false],
      ['bob', true],
      ['alice', false],
      ['alice', true],
      ['alice', true],
    ]);
  });

  it('know a remembered browser, for the event and the notifier', async () => {
    const { app, events, client } = await start({ options: { notifier: { useClass: RecordingNotifier } } });
    const device = client();
    await device.login('alice', { rememberMe: true });
    device.restart();
    expect(await device.isSignedIn()).toBe(true);
    const created = events.filter((event) => event.type === 'session.created');
    expect(created.map(({ authentication, newDevice }) => [authentication, newDevice])).toEqual([
      ['password', true],
      ['remember-me', false],
    ]);
    const { asked, sent } = app.get<NewSessionNotifier, RecordingNotifier>(NewSessionNotifier);
    expect(asked).toEqual(['alice', 'alice']);
    expect(sent.map(({ newDevice, session }) => [session.authentication, newDevice])).toEqual([
      ['password', true],
      ['remember-me', false],
    ]);
  });

  it('do not tell of devices where that is switched off, and no cookie is set', async () => {
    const { events, client } = await start({ options: { deviceCookie: false } });
    const device = client();
    await device.login('alice');
    expect([...device.cookies.keys()]).not.toContain(DEVICE_COOKIE);
    expect(events[0]).not.toMatchObject({ newDevice: expect.anything() });
  });

  it('have the notifier asked of each user, and send only where it is wanted', async () => {
    const { app, client } = await start({ options: { notifier: { useClass: RecordingNotifier } } });
    const alice = client();
    const { id } = await alice.login('alice', { headers: { 'user-agent': FIREFOX } });
    await alice.login('alice', { headers: { 'user-agent': FIREFOX } });
    await client().login('bob');
    const { asked, sent } = app.get<NewSessionNotifier, RecordingNotifier>(NewSessionNotifier);
    // a login over a live session of the same user is no new session
    expect(asked).toEqual(['alice', 'bob']);
    expect(sent).toEqual([
      {
        user: expect.objectContaining({ id: 'alice' }),
        session: expect.objectContaining({ id, userId: 'alice' }),
        device: 'Firefox on Linux',
        ip: expect.stringContaining('127.0.0.1'),
        newDevice: true,
        isReplacement: false,
      },
    ]);
  });
});
