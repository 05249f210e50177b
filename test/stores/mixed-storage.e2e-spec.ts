import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { AuditLog, type StorageOptions } from 'nestjs-session-auth';
import type { TypeOrmAuditLog } from 'nestjs-session-auth/typeorm';
import type { BankClient } from '../support/bank-client.js';
import { ADAPTERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

describe.each(ADAPTERS)('sessions in Redis, remember-me tokens and audit log in PostgreSQL, on %s', (adapter) => {
  let redisBackend: Backend;
  let postgresBackend: Backend;
  let redis: Redis;
  let database: DataSource;
  let bank: Bank;
  let alice: BankClient;

  beforeEach(async () => {
    redisBackend = await openBackend('redis');
    postgresBackend = await openBackend('postgres');
    redis = redisBackend.redis!;
    database = postgresBackend.dataSource!;
    const { sessions, throttle } = redisBackend.storage;
    const { rememberMe, audit } = postgresBackend.storage;
    const storage: StorageOptions = { sessions, throttle, rememberMe, audit };
    bank = await startBank({ adapter, backend: redisBackend, options: { storage } });
    alice = bank.client();
  });

  afterEach(async () => {
    await bank.close();
    await redisBackend.close();
    await postgresBackend.close();
  });

  const rows = async (table: string): Promise<number> => {
    const [row]: { rows: number }[] = await database.query(`SELECT count(*)::int AS rows FROM ${table}`);
    return row!.rows;
  };

  it('each part is kept where it was put', async () => {
    await alice.login('alice', { rememberMe: true });
    expect(await redis.keys(`${redisBackend.namespace}*:s:*`)).toHaveLength(1);
    expect(await redis.keys(`${redisBackend.namespace}*:r:*`)).toEqual([]);
    expect(await rows('session_auth_remember_me')).toBe(1);
    expect(await rows('session_auth_session')).toBe(0);
    const audit = bank.app.get<AuditLog, TypeOrmAuditLog>(AuditLog);
    await until(async () => (await rows('session_auth_audit_event')) === 2);
    const entries = await audit.find({ userId: 'alice' });
    expect(entries.map(({ event }) => event).sort()).toEqual(['authn_token_created', 'session_created']);
  });

  it('a remembered device is signed in again, and forgotten when its session is ended from another', async () => {
    const phone = bank.client();
    await phone.login('alice', { rememberMe: true });
    phone.restart();
    expect(await phone.isSignedIn()).toBe(true);
    await alice.login('alice');
    const answer = await alice.ask('DELETE', '/auth/sessions');
    expect(answer.json).toEqual({ revoked: 1 });
    expect(await phone.isSignedIn()).toBe(false);
    expect(await rows('session_auth_remember_me')).toBe(0);
  });

  it('a device that signs itself in while all sessions are ended is signed out at the end of it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const phone = bank.client();
      await phone.login('alice', { rememberMe: true });
      phone.restart();
      await alice.login('alice');
      await Promise.all([phone.get('/api/me'), alice.ask('DELETE', '/auth/sessions')]);
      expect(await phone.isSignedIn()).toBe(false);
      expect(await alice.isSignedIn()).toBe(true);
    }
  });

  it('a theft ends sessions there and tokens here', async () => {
    await alice.login('alice', { rememberMe: true });
    const thief = bank.client();
    for (const [name, value] of alice.cookies) thief.cookies.set(name, value);
    thief.restart();
    for (let restart = 0; restart < 2; restart += 1) {
      alice.restart();
      expect(await alice.isSignedIn()).toBe(true);
      bank.clock.advance(60_000);
    }
    expect(await thief.isSignedIn()).toBe(false);
    expect(await alice.isSignedIn()).toBe(false);
    expect(await rows('session_auth_remember_me')).toBe(0);
    expect(await redis.keys(`${redisBackend.namespace}*:s:*`)).toEqual([]);
  });
});

/** Waits for a condition, which the test's time limit bounds. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
