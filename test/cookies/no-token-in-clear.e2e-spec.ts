import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  AuditLog,
  LoggerAuditLog,
  LoginThrottleStore,
  RememberMeTokenStore,
  SessionStore,
  type SessionEvent,
} from 'nestjs-session-auth';
import { CookieSet } from '../../libs/session-auth/src/http/cookie-set.js';
import { DEVICE_COOKIE, REMEMBER_COOKIE, SESSION_COOKIE, type Answer, type Ask } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { leaksIn, secretOf, type Secret } from '../support/leaks.js';
import { StoppedClock } from '../support/manual-clock.js';
import { watchCalls } from '../support/watched-store.js';

const MINUTE = 60_000;
const PASSWORD = 'alice-demo-password';
const CREDENTIALS = { email: 'alice@example.com', password: PASSWORD, rememberMe: true };

/** Keeps what it is told, next to what the storage's own log keeps of it. */
class RecordingAuditLog extends LoggerAuditLog {
  readonly told: SessionEvent[] = [];

  override record(event: SessionEvent): void {
    this.told.push(event);
    super.record(event);
  }
}

describe.each(EVERYWHERE)('no token in clear on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let secrets: Secret[];
  /** Everything that is searched. */
  let texts: string[];

  beforeEach(async () => {
    secrets = [];
    texts = [];
    backend = await openBackend(store);
    const { storage } = backend;
    const audit = store === 'postgres' ? {} : { audit: { useClass: RecordingAuditLog } };
    const options = { storage: { ...storage, ...audit } };
    bank = await startBank({ adapter, backend, options, clock: new StoppedClock() });
    watchTokens(bank.app.get(CookieSet, { strict: false }), secrets);
    for (const port of [SessionStore, RememberMeTokenStore, LoginThrottleStore]) {
      watchCalls(bank.app.get<object>(port, { strict: false }), (...call) => texts.push(JSON.stringify(call)));
    }
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it('in any key or value of the store, any body, header but Set-Cookie, log line, event or audit record', async () => {
    const alice = bank.client();
    const say = async (method: string, path: string, ask: Ask = {}): Promise<Answer> => {
      const answer = await alice.ask(method, path, { ...ask, headers: { 'user-agent': 'evil\u00e9 agent' } });
      const { 'set-cookie': _, ...others } = answer.headers;
      // the demo shows its accounts on that page
      const body = path === '/login' ? answer.text.replaceAll(PASSWORD, '') : answer.text;
      texts.push(withoutCsrfField(body, secrets), JSON.stringify(others));
      for (const line of answer.setCookies) {
        const value = line.slice(line.indexOf('=') + 1, line.indexOf(';'));
        if (value !== '' && line.startsWith(SESSION_COOKIE)) secrets.push(secretOf('sealed cookie', value));
      }
      return answer;
    };
    await say('GET', '/auth/csrf');
    await say('GET', '/login');
    const wrong = randomBytes(24).toString('base64url');
    secrets.push(secretOf('password', wrong));
    await say('POST', '/auth/login', { body: { ...CREDENTIALS, password: wrong } });
    await say('POST', '/auth/login', { body: CREDENTIALS });
    await say('GET', '/auth/session');
    await say('GET', '/auth/sessions');
    await say('GET', '/account');
    await say('PATCH', '/api/preferences', { body: { theme: 'dark' } });
    await say('POST', '/auth/reauthenticate', { body: { password: PASSWORD } });
    await say('POST', '/auth/login', { body: CREDENTIALS });
    await say('GET', '/api/me');
    const sealed = alice.sealed;
    const remembered = alice.cookies.get(REMEMBER_COOKIE)!;
    const device = bank.app.get(CookieSet, { strict: false }).device!;
    const { id } = device.read(`${DEVICE_COOKIE}=${alice.cookies.get(DEVICE_COOKIE)}`, bank.clock.now())!;
    secrets.push(secretOf('device', id));
    // a token that was refused is a secret as well, wherever it came from
    const foreign = await bank.client().csrfToken();
    addCsrfToken(foreign, secrets);
    expect((await say('POST', '/api/transfer', { body: { to: 'bob', amount: 1 }, csrf: foreign })).status).toBe(403);
    // a remembered browser comes back twice, and then whoever has copied its first cookie
    for (let restart = 0; restart < 2; restart += 1) {
      alice.restart();
      expect((await say('GET', '/api/me')).status).toBe(200);
      bank.clock.advance(MINUTE);
    }
    texts.push(...(await contentOf(backend)));
    await say('GET', '/api/me', { cookie: `${REMEMBER_COOKIE}=${remembered}` });
    await say('POST', '/auth/login', { body: CREDENTIALS });
    await say('POST', '/auth/logout');
    await say('GET', '/api/me', { cookie: `${SESSION_COOKIE}=${sealed}` });

    await bank.close();
    texts.push(...(await contentOf(backend)), ...bank.log, JSON.stringify(bank.events));
    const audit = bank.app.get<AuditLog>(AuditLog, { strict: false });
    if (audit instanceof RecordingAuditLog) texts.push(JSON.stringify(audit.told));

    const cookies = ['session', 'remember-me', 'pre-session', 'device', 'sealed cookie'];
    const kinds = [...cookies, 'CSRF', 'unmasked CSRF', 'password'];
    expect(new Set(secrets.map(({ name }) => name))).toEqual(new Set(kinds));
    const types = new Set(bank.events.map(({ type }) => type));
    expect([...types].sort()).toEqual([
      'csrf.rejected',
      'login.failed',
      'remember_me.issued',
      'remember_me.theft',
      'remember_me.used',
      'session.created',
      'session.destroyed',
      'session.rotated',
      'session.used_after_end',
    ]);
    expect(leaksIn(texts, secrets)).toEqual([]);
    expect(texts.filter((text) => text.includes(PASSWORD))).toEqual([]);
  });
});

describe('the search for tokens', () => {
  it('finds a token in every reversible form, with any text around it', () => {
    const bytes = Buffer.concat([randomBytes(31), Buffer.of(251)]);
    const secret = { name: 'it', bytes };
    const text = bytes.toString('base64url');
    const backwards = (given: string): string => [...given].reverse().join('');
    for (const form of [
      text,
      bytes.toString('base64'),
      encodeURIComponent(bytes.toString('base64')),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      bytes.toString('latin1'),
      JSON.stringify(bytes),
      JSON.stringify([...Buffer.from(text)], undefined, 2),
      Buffer.from(text).toString('hex'),
      Buffer.from(text).toString('base64'),
      Buffer.from(`Bearer ${text}`).toString('base64url'),
      Buffer.from(`, ${text}`).toString('base64url'),
      Buffer.concat([Buffer.of(1), bytes, Buffer.of(2)]).toString('base64url'),
      backwards(text),
      backwards(bytes.toString('hex')),
      text.slice(0, 22),
      text.slice(-22),
      text.toLowerCase(),
    ]) {
      expect({ form, leaks: leaksIn([`before ${form} after`], [secret]).length > 0 }).toEqual({ form, leaks: true });
    }
    expect(leaksIn([randomBytes(2000).toString('base64url'), randomBytes(2000).toString('hex')], [secret])).toEqual([]);
  });
});

/** Everything that a backend holds, as text. What is in memory is known by what the stores were given. */
async function contentOf({ redis, dataSource, namespace }: Backend): Promise<string[]> {
  const texts: string[] = [];
  if (redis) for (const key of await redis.keys(`${namespace}*`)) texts.push(key, await valueOf(redis, key));
  if (dataSource) {
    const tables = await dataSource.query<{ name: string }[]>(
      `SELECT tablename AS name FROM pg_tables WHERE tablename LIKE 'session_auth_%'`,
    );
    expect(tables.length).toBeGreaterThanOrEqual(4);
    for (const { name } of tables) {
      const rows = await dataSource.query<{ row: string }[]>(`SELECT t::text AS row FROM ${name} t`);
      texts.push(...rows.map(({ row }) => row));
    }
  }
  return texts;
}

async function valueOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  // bytes, since not all of a value need be text
  if (type === 'string') return (await redis.getBuffer(key))!.toString('latin1');
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key));
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, 0, -1, 'WITHSCORES'));
  throw new Error(`a key of type ${type}: ${key}`);
}

/** Notes every secret that a node hands out in a cookie. */
function watchTokens({ session, rememberMe, preSession }: CookieSet, secrets: Secret[]): void {
  const watch = <Args extends readonly [string, ...unknown[]], Result>(
    cookie: { issue: (...args: Args) => Result },
    name: string,
    secretIn: (token: string) => string,
  ): void => {
    const issue = cookie.issue.bind(cookie);
    cookie.issue = (...args) => {
      secrets.push(secretOf(name, secretIn(args[0])));
      return issue(...args);
    };
  };
  // shard tag and handle are public, and so is a selector
  watch(session, 'session', (token) => token.slice(22));
  watch(rememberMe!, 'remember-me', (token) => token.split(':')[1]!);
  watch(preSession, 'pre-session', (id) => id);
}

/** A body without the CSRF token where that belongs, which is noted: in its JSON field, or in the form's hidden one. */
function withoutCsrfField(text: string, secrets: Secret[]): string {
  return text.replace(/("csrfToken":"|name="csrf_token" value=")([\w-]{86})"/g, (_, before: string, token: string) => {
    addCsrfToken(token, secrets);
    return `${before}"`;
  });
}

function addCsrfToken(token: string, secrets: Secret[]): void {
  const bytes = Buffer.from(token, 'base64url');
  const mac = Buffer.from(bytes.subarray(32).map((byte, index) => byte ^ bytes[index]!));
  secrets.push({ name: 'CSRF', bytes }, { name: 'unmasked CSRF', bytes: mac });
}
