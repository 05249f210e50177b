import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { CookieSet } from '../../libs/session-auth/src/http/cookie-set.js';
import { digestOf, hashOf } from '../../libs/session-auth/src/crypto/session-token.js';
import { parseRememberMeToken, validatorDigest } from '../../libs/session-auth/src/remember-me/remember-me-token.js';
import { startLocalRedis, type LocalRedis } from '../../src/local-services/local-redis.ts';
import { SESSION_COOKIE, type BankClient, type SessionAnswer } from '../support/bank-client.js';
import { SERVERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { countCommands } from '../support/command-count.js';
import { forgeries, retargeted, tokenIn } from '../support/forged-cookies.js';

describe.each(SERVERS)('a session cookie that is not the one we issued, on %s', (adapter) => {
  let server: LocalRedis;
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;
  let session: SessionAnswer;
  let records: number;

  beforeAll(async () => {
    server = await startLocalRedis();
    backend = await openBackend('redis', server.url);
    bank = await startBank({ adapter, backend });
    alice = bank.client();
    session = await alice.login('alice');
    await alice.get('/api/me'); // the server learns the script
    records = await backend.redis!.dbsize();
  });

  afterAll(async () => {
    await bank.close();
    await backend.close();
    await server.stop();
  });

  /**
   * Every one of these is answered 401, alike, and no command reaches the store. `taken`: how many cookies are taken.
   */
  async function expectRefused(cookies: readonly string[], taken = 0): Promise<void> {
    const count = await countCommands(backend.redis!, async () => {
      for (const cookie of cookies) {
        const answer = await bank.send('GET', '/api/me', { cookie });
        expect([answer.status, answer.text]).toEqual([401, REFUSAL]);
        expect(answer.setCookies).toHaveLength(taken);
        for (const line of answer.setCookies) expect(line).toMatch(/^__Host-session=; Max-Age=0; /);
      }
    });
    expect(count.byName).toEqual({});
    expect(await backend.redis!.dbsize()).toBe(records);
  }

  const REFUSAL = '{"statusCode":401,"code":"session_required","message":"sign in first","realm":"default"}';

  it('is told from the genuine one, which costs one script', async () => {
    const count = await countCommands(backend.redis!, async () => {
      expect((await alice.get('/api/me')).status).toBe(200);
    });
    expect(count.sent).toBe(1);
  });

  it('is refused with any one character changed', async () => {
    const { sealed } = alice;
    const changed = [...sealed].flatMap((character, index) =>
      [
        character === 'A' ? 'B' : 'A',
        '.',
        '+',
        '=',
        character.toLowerCase() === character ? character.toUpperCase() : character.toLowerCase(),
      ]
        .filter((other) => other !== character)
        .map((other) => sealed.slice(0, index) + other + sealed.slice(index + 1)),
    );
    expect(changed.length).toBeGreaterThan(400);
    await expectRefused(changed.map((value) => `${SESSION_COOKIE}=${value}`));
  });

  it('is refused when cut, doubled, padded, quoted, encoded or in another case', async () => {
    const { sealed } = alice;
    const variants = [
      '',
      sealed.slice(1),
      sealed.slice(0, -1),
      sealed.slice(0, 60),
      sealed + sealed,
      `${sealed}=`,
      `${sealed}==`,
      `${sealed}A`,
      `"${sealed}"`,
      `%${sealed.charCodeAt(0).toString(16)}${sealed.slice(1)}`,
      encodeURIComponent(`${sealed} `),
      sealed.toUpperCase(),
      sealed.toLowerCase(),
      [...sealed].reverse().join(''),
    ];
    await expectRefused(variants.map((value) => `${SESSION_COOKIE}=${value}`));
  });

  it('is refused under any other name', async () => {
    const names = [
      '__Host-session2',
      '__host-session',
      '__HOST-SESSION',
      'session',
      '__Secure-session',
      ' __Host-session x',
      'connect.sid',
    ];
    await expectRefused(names.map((name) => `${name}=${alice.sealed}`));
  });

  it('is refused when two come in one request, in either order, in one line or two', async () => {
    const bob = bank.client();
    await bob.login('bob');
    records = await backend.redis!.dbsize();
    const mine = `${SESSION_COOKIE}=${alice.sealed}`;
    const other = `${SESSION_COOKIE}=${bob.sealed}`;
    const junk = `${SESSION_COOKIE}=junk`;
    const pairs = [
      [mine, other],
      [other, mine],
      [mine, mine],
      [mine, junk],
      [junk, mine],
    ] as const;
    // the one of this host, and a partitioned one
    const all = ['; ', ';'].flatMap((between) => pairs.map((pair) => pair.join(between)));
    await expectRefused(all, 2);
    for (const pair of pairs) {
      const answer = await bank.send('GET', '/api/me', { headers: { cookie: [...pair] } });
      expect(answer.status).toBe(401);
    }
  });

  it('is refused at 100 kB, as one value and as a thousand cookies', async () => {
    // Node's own HTTP/2 refuses more than 64 kB of headers
    const size = adapter === 'fastify over HTTP/2' ? 50_000 : 100_000;
    await expectRefused([
      `${SESSION_COOKIE}=${'A'.repeat(size)}`,
      `${SESSION_COOKIE}=${alice.sealed}${'A'.repeat(size)}`,
      Array.from({ length: size / 100 }, (_, i) => `${SESSION_COOKIE}${i}=${'x'.repeat(80)}`).join('; '),
    ]);
    await expectRefused(
      [Array.from({ length: size / 100 }, () => `${SESSION_COOKIE}=${'x'.repeat(80)}`).join('; ')],
      2,
    );
  });

  it('is refused when somebody chose the id, in any form', async () => {
    const keys = await backend.redis!.keys('*');
    const chosen = [
      'chosen-by-the-attacker',
      ...keys,
      'AA' + 'A'.repeat(43),
      'AUdN'.repeat(30),
      'A'.repeat(120),
      '../../etc/passwd',
      "' OR 1=1 --",
      '*',
      '%00',
      '__proto__',
      '{"$gt":""}',
    ];
    await expectRefused(chosen.map((value) => `${SESSION_COOKIE}=${value}`));
    // of a genuine one's length and form, with any handle: that of another user, and a hundred of nobody
    const bob = bank.client();
    const { id } = await bob.login('bob');
    records = await backend.redis!.dbsize();
    const forged = [retargeted(bob.sealed, id, session.id), ...forgeries(alice.sealed, 100)];
    for (const value of forged) expect(value).toHaveLength(alice.sealed.length);
    await expectRefused(forged.map((value) => `${SESSION_COOKIE}=${value}`));
  });

  it('is refused with what the store holds of a genuine one: a dump authenticates nobody', async () => {
    const dump = await dumpOf(backend.redis!);
    expect(dump.length).toBeGreaterThan(5);
    await expectRefused(dump.map((value) => `${SESSION_COOKIE}=${value}`));
  });

  it('is refused with the stored digest instead of the token, even if our own keys sealed it', async () => {
    const cookies = bank.app.get(CookieSet, { strict: false });
    const now = bank.clock.now();
    const bob = bank.client();
    const { absoluteExpiresAt } = await bob.login('bob', { rememberMe: true });
    const owner = { userId: 'bob', absoluteExpiresAt: new Date(absoluteExpiresAt) };
    const { token: remembered, endsAt } = cookies.rememberMe!.read(bob.cookie, now)!;
    const { selector, validator } = parseRememberMeToken(remembered)!;
    const digest = digestOf(tokenIn(bank, bob.sealed)!);
    const dump = JSON.stringify(await dumpOf(backend.redis!));
    for (const held of [hashOf(digest), validatorDigest(validator)]) expect(dump).toContain(held);
    for (const line of [
      cookies.session.issue(digest, owner, now),
      cookies.rememberMe!.issue(`${selector}:${validatorDigest(validator)}`, 'bob', endsAt, now),
    ]) {
      const [cookie] = line.split(';');
      expect((await bank.send('GET', '/api/me', { cookie })).status).toBe(401);
    }
    // sealed the same way, the tokens themselves are good
    const genuine = bank.client();
    await genuine.login('bob', { rememberMe: true });
    for (const line of [
      cookies.session.issue(tokenIn(bank, genuine.sealed)!, owner, now),
      cookies.rememberMe!.issue(cookies.rememberMe!.read(genuine.cookie, now)!.token, 'bob', endsAt, now),
    ]) {
      const [cookie] = line.split(';');
      expect((await bank.send('GET', '/api/me', { cookie })).status).toBe(200);
    }
    records = await backend.redis!.dbsize();
  });

  it('is not looked for in query, body or other headers', async () => {
    const { sealed } = alice;
    const named = `${SESSION_COOKIE}=${sealed}`;
    const headers = { authorization: `Bearer ${sealed}`, 'x-session': sealed, cookie2: named, 'x-cookie': named };
    const fields = { [SESSION_COOKIE]: sealed, session: sealed, sid: sealed, cookie: named };
    const count = await countCommands(backend.redis!, async () => {
      for (const path of [
        `/api/me?${SESSION_COOKIE}=${sealed}`,
        `/api/me?sid=${sealed}`,
        `/api/me;${SESSION_COOKIE}=${sealed}`,
      ]) {
        expect([401, 404]).toContain((await bank.send('GET', path, { headers })).status);
      }
      for (const path of ['/api/transfer', '/auth/reauthenticate']) {
        const body = { to: 'bob', amount: 1, password: 'alice-demo-password', ...fields };
        // the guard that asks for a session comes first on the one, that for CSRF tokens on the other
        expect([401, 403]).toContain((await bank.send('POST', path, { body, headers })).status);
        const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
        const answer = await bank.send('POST', path, { body: new URLSearchParams(fields).toString(), headers: form });
        expect([401, 403, 415]).toContain(answer.status);
      }
      expect((await bank.send('GET', '/api/me', { body: fields, headers })).status).toBe(401);
    });
    expect(count.byName).toEqual({});
  });

  it('is refused when another application sealed it, with other secrets or another cookie name', async () => {
    const other = await startBank({ adapter, backend, secrets: ['a secret of quite another application'] });
    const renamed = await startBank({ adapter, backend, options: { cookie: { name: '__Host-other' } } });
    try {
      const elsewhere = other.client();
      await elsewhere.login('bob');
      const moved = renamed.client();
      await moved.login('bob');
      records = await backend.redis!.dbsize();
      await expectRefused([elsewhere.cookie, `${SESSION_COOKIE}=${moved.cookies.get('__Host-other')}`]);
    } finally {
      await other.close();
      await renamed.close();
    }
  });

  it('is refused after 24 hours, even if the store still has the session', async () => {
    const bob = bank.client();
    await bob.login('bob');
    bank.clock.advance(24 * 60 * 60 * 1000);
    records = await backend.redis!.dbsize();
    await expectRefused([`${SESSION_COOKIE}=${bob.sealed}`]);
    bank.clock.advance(-24 * 60 * 60 * 1000);
    expect(await bob.isSignedIn()).toBe(true);
  });
});

/** The keys and values of a Redis, and what in them looks like a token. */
async function dumpOf(redis: Redis): Promise<string[]> {
  const dump: string[] = [];
  for (const key of await redis.keys('*')) {
    dump.push(key, ...(key.match(/[\w-]{20,}/g) ?? []));
    const type = await redis.type(key);
    if (type === 'string') dump.push(...((await redis.get(key))!.match(/[\w-]{20,}/g) ?? []));
    else if (type === 'hash') dump.push(...Object.entries(await redis.hgetall(key)).flat());
    else dump.push(...(await redis.zrange(key, 0, -1)));
  }
  return dump;
}
