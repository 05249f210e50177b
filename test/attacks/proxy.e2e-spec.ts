import { afterEach, describe, expect, it } from '@jest/globals';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SessionEventPublisher, type SessionEvent } from 'nestjs-session-auth';
import { REMEMBER_COOKIE } from '../support/bank-client.js';
import { SERVERS, startBank, type Bank } from '../support/bank.js';
import { closeApps, DoorController, forRoot, listen, logger } from '../support/door-app.js';
import { watchedBackend } from '../support/watched-store.js';

const FORGED = {
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-port': '443',
  'x-real-ip': '203.0.113.9',
  'x-client-ip': '203.0.113.9',
  'cf-connecting-ip': '203.0.113.9',
  'true-client-ip': '203.0.113.9',
  forwarded: 'for=203.0.113.9;proto=https;host=evil.example',
};

/** The peer of these tests is 127.0.0.1: whether the adapter trusts that is its own affair. */
const TRUST_OF_SOME: readonly (readonly [what: string, make: () => AbstractHttpAdapter, isTrusted: boolean])[] = [
  ['Express by address', () => expressTrusting('127.0.0.1'), true],
  ['Express by another address', () => expressTrusting('10.0.0.0/8'), false],
  ['Express by hops', () => expressTrusting(1), true],
  ['Express by a function', () => expressTrusting((address: string) => address === '127.0.0.1'), true],
  ['Fastify by address', () => new FastifyAdapter({ trustProxy: ['127.0.0.1'] }), true],
  ['Fastify by another address', () => new FastifyAdapter({ trustProxy: '10.0.0.0/8' }), false],
  ['Fastify by a function', () => new FastifyAdapter({ trustProxy: (address) => address === '127.0.0.1' }), true],
];

function expressTrusting(value: unknown): AbstractHttpAdapter {
  const adapter = new ExpressAdapter();
  adapter.set('trust proxy', value);
  return adapter;
}

describe('the adapter’s own trust in proxies', () => {
  afterEach(closeApps);

  it.each(TRUST_OF_SOME)('decides whether forwarded lists are used: %s', async (_what, make, isTrusted) => {
    const app = await NestFactory.create(
      { module: class {}, imports: [forRoot()], controllers: [DoorController] },
      make(),
      { logger, abortOnError: false },
    );
    const client = await listen(app);
    // without a token it is the reason that tells whose origin it was
    const events: SessionEvent[] = [];
    app.get(SessionEventPublisher).subscribe((event) => void events.push(event));
    const reasonFor = async (origin: string): Promise<unknown> => {
      const headers = { 'x-forwarded-host': 'bank.example, inner.example', 'x-forwarded-proto': 'https, http', origin };
      await client.post('/protected', {}, { headers, csrf: false });
      return events.at(-1);
    };
    const foreign = { type: 'csrf.rejected', reason: 'untrusted_origin' };
    const own = { type: 'csrf.rejected', reason: 'no_token' };
    expect(await reasonFor('https://bank.example')).toMatchObject(isTrusted ? own : foreign);
    expect(await reasonFor(`http://127.0.0.1:${client.port}`)).toMatchObject(isTrusted ? foreign : own);
    expect(await reasonFor('http://inner.example')).toMatchObject(foreign);
  });
});

describe.each(SERVERS)('headers of a proxy on %s', (adapter) => {
  let bank: Bank;

  afterEach(() => bank.close());

  const start = async (trustProxy: boolean): Promise<Bank> =>
    (bank = await startBank({ adapter, backend: watchedBackend(), trustProxy }));

  const addresses = (): (string | undefined)[] =>
    bank.events.flatMap((event) => ('client' in event && event.client ? [event.client.ip] : []));

  it('that a client made up change nothing: not its address, not our own origin', async () => {
    await start(false);
    const alice = bank.client();
    const { ip } = (await alice.login('alice', { headers: FORGED })) as unknown as { ip: string };
    expect(ip).toBe('127.0.0.1');
    const host = `127.0.0.1:${bank.port}`;
    const transfer = async (headers: Record<string, string>): Promise<number> =>
      (await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers })).status;
    expect(await transfer({ ...FORGED, origin: `http://${host}` })).toBe(201);
    expect(await transfer({ ...FORGED, origin: `https://${host}` })).toBe(403);
    for (const origin of ['https://evil.example', 'http://evil.example', 'https://evil.example:443']) {
      expect(await transfer({ ...FORGED, origin })).toBe(403);
    }
    expect(new Set(addresses())).toEqual(new Set(['127.0.0.1']));
  });

  it('count where the proxy is trusted: for the address, the scheme and the host', async () => {
    await start(true);
    const alice = bank.client();
    const told = { ...FORGED, 'x-forwarded-host': 'bank.example' };
    const { ip } = (await alice.login('alice', { headers: told })) as unknown as { ip: string };
    expect(ip).toBe('203.0.113.9');
    const transfer = async (headers: Record<string, string>): Promise<number> =>
      (await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers })).status;
    expect(await transfer({ ...told, origin: 'https://bank.example' })).toBe(201);
    const others = ['http://bank.example', `https://127.0.0.1:${bank.port}`, 'https://evil.example'];
    for (const origin of others) expect(await transfer({ ...told, origin })).toBe(403);
    expect(addresses()).toContain('203.0.113.9');
  });

  it('are lists whose first entry counts where the proxy is trusted: the one that the client reached', async () => {
    await start(true);
    const alice = bank.client();
    await alice.login('alice');
    const transfer = async (headers: Record<string, string>): Promise<number> =>
      (await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers })).status;
    const told = { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'bank.example , inner.example' };
    expect(await transfer({ ...told, origin: 'https://bank.example' })).toBe(201);
    for (const origin of ['http://bank.example', 'https://inner.example', 'http://inner.example']) {
      expect(await transfer({ ...told, origin })).toBe(403);
    }
    const own = `http://127.0.0.1:${bank.port}`;
    expect(await transfer({ 'x-forwarded-host': ', inner.example', origin: own })).toBe(201);
  });

  it('are ignored without trust, at every position of our own host in them', async () => {
    await start(false);
    const alice = bank.client();
    await alice.login('alice');
    const host = `127.0.0.1:${bank.port}`;
    for (const list of [`evil.example, ${host}`, `${host}, evil.example`, 'evil.example']) {
      const headers = { 'x-forwarded-host': list, 'x-forwarded-proto': 'http, http' };
      const transfer = async (origin: string): Promise<number> =>
        (await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers: { ...headers, origin } })).status;
      expect(await transfer('http://evil.example')).toBe(403);
      expect(await transfer(`http://${host}`)).toBe(201);
    }
  });

  it('with nonsense in them break nothing, trusted or not', async () => {
    const nonsense = [
      '',
      ',',
      'unknown',
      '::1, 203.0.113.9',
      "'; DROP TABLE sessions; --",
      'a'.repeat(5000),
      '%0d%0aX: y',
    ];
    for (const trusted of [false, true]) {
      await start(trusted);
      for (const text of nonsense) {
        const alice = bank.client();
        const headers = { 'x-forwarded-for': text, 'x-forwarded-proto': text, 'x-forwarded-host': text };
        expect((await alice.tryLogin('alice', { headers })).status).toBe(200);
        expect((await alice.get('/api/me', { headers })).status).toBe(200);
        expect((await alice.get('/auth/sessions', { headers })).status).toBe(200);
        const answer = await alice.post('/api/transfer', {}, { headers: { ...headers, origin: text } });
        expect(answer.status).toBe(403);
      }
      await bank.close();
    }
    await start(false);
  });

  it('a remembered device that signs in tells its own address, not one it made up', async () => {
    await start(false);
    const alice = bank.client();
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    expect(alice.cookies.has(REMEMBER_COOKIE)).toBe(true);
    const session = (await alice.get('/auth/session', { headers: FORGED })).json;
    expect(session).toMatchObject({ authentication: 'remember-me', ip: '127.0.0.1' });
  });
});
