import { describe, expect, it } from '@jest/globals';
import { MemoryLoginThrottleStore, SessionCleanupService } from 'nestjs-session-auth';
import type { Answer } from '../support/bank-client.js';
import { ON_EVERY_STACK } from '../support/bank.js';
import { ELSEWHERE, from, LIMITS, OWN, ThrottledBank } from '../support/throttled-bank.js';

const MINUTE = 60_000;
const COUNTER = /^(failures|(failures|blocks|known):[\w-]{22})$/;

describe.each(ON_EVERY_STACK)('the login throttle on $adapter with $store', ({ adapter, store }) => {
  const at = ThrottledBank.forEachTest({ adapter, store });
  const guess = at.guess.bind(at);
  const login = at.login.bind(at);

  it('refuses the right password too after so many failures, and lets it in when the block is over', async () => {
    for (let i = 0; i < 3; i += 1) expect((await guess('alice')).status).toBe(401);
    const refused = await login('alice');
    expect(refused.status).toBe(429);
    expect(refused.json).toEqual({
      statusCode: 429,
      code: 'too_many_attempts',
      message: expect.any(String),
      realm: 'default',
    });
    expect(Number(refused.headers['retry-after'])).toBe(60);
    expect(refused.setCookies.filter((line) => line.startsWith('__Host-session='))).toEqual([]);
    expect(at.bank.events.at(-1)).toMatchObject({
      type: 'login.throttled',
      scope: 'account_and_client',
      userId: 'alice',
    });
    // another account from there, and the account from elsewhere, are no part of it
    expect((await login('bob')).status).toBe(200);
    expect((await login('alice', ELSEWHERE)).status).toBe(200);
    at.clock.advance(MINUTE - 1);
    expect((await login('alice')).status).toBe(429);
    at.clock.advance(1);
    expect((await login('alice')).status).toBe(200);
  });

  it('doubles the block, up to the longest, and forgets it all after a success', async () => {
    at.bank = await at.start({ loginThrottle: { ...LIMITS, address: { failures: 100 } } });
    // her address, so that the account's own count does not apply
    await login('alice');
    for (const length of [60, 120, 120]) {
      for (let i = 0; i < 3; i += 1) expect((await guess('alice')).status).toBe(401);
      const refused = await guess('alice');
      expect([refused.status, refused.headers['retry-after']]).toEqual([429, String(length)]);
      at.clock.advance(length * 1000);
    }
    expect((await login('alice')).status).toBe(200);
    for (let i = 0; i < 3; i += 1) expect((await guess('alice')).status).toBe(401);
    expect((await guess('alice')).headers['retry-after']).toBe('60');
  });

  it('counts failures in a row only: a success in between starts anew', async () => {
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 2; i += 1) expect((await guess('alice')).status).toBe(401);
      expect((await login('alice')).status).toBe(200);
    }
  });

  it('responds for an unknown account as for a known one', async () => {
    const seen = async (name: string): Promise<unknown[]> => {
      const answers: unknown[] = [];
      for (let i = 0; i < 5; i += 1) {
        const { status, text, headers } = await guess(name);
        const { date: _, ...others } = headers;
        answers.push([status, text, others]);
      }
      return answers;
    };
    expect(await seen('nobody-there')).toEqual(await seen('alice'));
  });

  it('takes all spellings of a name for one', async () => {
    for (const name of ['ALICE@example.com', ' alice@example.com ', '\uff41lice@example.com']) {
      expect((await guess(name)).status).toBe(401);
    }
    expect((await guess('a\u200blic\u00e9@EXAMPLE.com')).status).toBe(429);
    expect((await login('alice')).status).toBe(429);
  });

  it('gives parallel guesses no more verdicts than the limit, from several nodes as well', async () => {
    const targets = [at.bank, ...(store === 'memory' ? [] : [await at.start()])];
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => guess('alice', OWN, targets[i % targets.length]!.client())),
    );
    const verdicts = answers.filter((answer) => answer.status === 401);
    expect(verdicts).toHaveLength(3);
    expect(answers.filter((answer) => answer.status === 429)).toHaveLength(57);
    // nor is the right password told from the rest
    expect((await targets[0]!.client().tryLogin('alice', from(OWN))).status).toBe(429);
  });

  it('lets any number of parallel logins with the right password pass', async () => {
    at.bank = await at.start({ passwordQueue: { perAddress: 100 } });
    const answers = await Promise.all(Array.from({ length: 100 }, () => login('alice')));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
  });

  it('stops an address that tries many accounts, and no other address', async () => {
    for (let i = 0; i < 8; i += 1) expect((await guess(`customer${i}`)).status).toBe(401);
    expect((await guess('customer9')).status).toBe(429);
    expect((await login('bob')).status).toBe(429);
    expect(at.bank.events.at(-1)).toMatchObject({ type: 'login.throttled', scope: 'address' });
    expect((await login('bob', ELSEWHERE)).status).toBe(200);
  });

  it('takes a network of 64 bits for one address', async () => {
    for (let i = 1; i <= 3; i += 1) expect((await guess('alice', `2001:db8:7:1::${i}`)).status).toBe(401);
    expect((await guess('alice', '2001:db8:7:1:ffff::9')).status).toBe(429);
    expect((await guess('alice', '2001:db8:7:2::1')).status).toBe(401);
  });

  it('gives no stranger a way to lock a user out', async () => {
    const ownDevice = at.bank.client();
    expect((await login('alice', OWN, ownDevice)).status).toBe(200);
    // from ever new addresses
    for (let i = 1; i <= 6; i += 1) expect((await guess('alice', `192.0.2.${i}`)).status).toBe(401);
    expect((await guess('alice', '192.0.2.100')).status).toBe(429);
    expect(at.bank.events.at(-1)).toMatchObject({ type: 'login.throttled', scope: 'account' });
    // a client never seen before has to wait
    expect((await login('alice', ELSEWHERE)).status).toBe(429);
    // where she was signed in before, she gets in: at the address with a new browser, and at a new address by the
    // device
    expect((await login('alice', OWN)).status).toBe(200);
    expect((await login('alice', '192.0.2.200', ownDevice)).status).toBe(200);
    // who uses up the address cannot keep the device out either
    for (let i = 0; i < 10; i += 1) await guess(`customer${i}`, '192.0.2.201');
    expect((await login('alice', '192.0.2.201')).status).toBe(429);
    expect((await login('alice', '192.0.2.201', ownDevice)).status).toBe(200);
  });

  it('counts guesses of a signed-in thief at re-authentication and at a change of password', async () => {
    const thief = at.bank.client();
    await login('alice', OWN, thief);
    const confirm = (): Promise<Answer> => thief.post('/auth/reauthenticate', { password: 'a guess' }, from(OWN));
    const change = (): Promise<Answer> =>
      thief.post('/api/settings/password', { currentPassword: 'a guess', newPassword: 'new password' }, from(OWN));
    expect([(await confirm()).status, (await change()).status, (await confirm()).status]).toEqual([401, 401, 401]);
    expect([(await confirm()).status, (await change()).status]).toEqual([429, 429]);
  });

  it('refuses logins with 503 when it cannot count, and never lets them through', async () => {
    const counts = new MemoryLoginThrottleStore();
    counts.read = () => Promise.reject(new Error('the counts are gone'));
    const broken = await at.start({ storage: { ...at.backend.storage, throttle: { useValue: counts } } });
    const answer = await broken.client().tryLogin('alice');
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBeDefined();
    expect(answer.text).not.toContain('counts are gone');
    expect(broken.events).toEqual([]);
  });

  it('keeps no name and no address in clear, and nothing without an end', async () => {
    for (let i = 0; i < 4; i += 1) await guess('alice');
    await login('bob');
    const { redis, dataSource, namespace } = at.backend;
    if (redis !== undefined) {
      const keys = (await redis.keys(`${namespace}*`)).filter((key) => key.includes('throttle:'));
      expect(keys.length).toBeGreaterThanOrEqual(3);
      for (const key of keys) {
        expect(key.slice(namespace.length)).toMatch(/^throttle:[\w-]{22}$/);
        expect(await redis.pttl(key)).toBeGreaterThan(0);
        for (const field of await redis.hkeys(key)) expect(field).toMatch(COUNTER);
      }
    }
    if (dataSource !== undefined) {
      const rows = await dataSource.query<{ key: string }[]>('SELECT key FROM session_auth_throttle');
      expect(rows.length).toBeGreaterThan(3);
      for (const { key } of rows) {
        const [subject, counter] = key.split('/');
        expect(subject).toMatch(/^[\w-]{22}$/);
        expect(counter).toMatch(COUNTER);
      }
      at.clock.advance(22 * 24 * 60 * MINUTE);
      await at.bank.app.get(SessionCleanupService).run();
      expect(await dataSource.query('SELECT key FROM session_auth_throttle')).toEqual([]);
    }
  });

  it('can be switched off', async () => {
    at.bank = await at.start({ loginThrottle: false });
    for (let i = 0; i < 12; i += 1) expect((await guess('alice')).status).toBe(401);
    expect((await login('alice')).status).toBe(200);
  });
});
