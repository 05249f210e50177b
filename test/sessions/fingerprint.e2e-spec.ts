import { afterEach, describe, expect, it } from '@jest/globals';
import type { SessionAuthOptions } from 'nestjs-session-auth';
import { SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { ADAPTERS, openBackend, startBank, TEST_SECRETS, type Backend, type Bank } from '../support/bank.js';
import type { HttpAdapterName } from '../../src/config/bank-config.js';

const CHROME = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
  'accept-language': 'de-CH,de;q=0.9,en;q=0.8',
  'accept-encoding': 'gzip, deflate, br, zstd',
};
const OTHERS = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
  'accept-language': 'en-US,en;q=0.5',
  'accept-encoding': 'gzip, deflate',
};

/** Requests that browsers make with other headers than they navigate with. */
const ODD_REQUESTS: readonly [string, Record<string, string>][] = [
  ['a video', { 'accept-encoding': 'identity;q=1, *;q=0', range: 'bytes=0-', 'sec-fetch-dest': 'video' }],
  ['a video’s end', { 'accept-encoding': 'identity;q=1, *;q=0', range: 'bytes=1048576-', 'sec-fetch-dest': 'video' }],
  ['a video through a service worker', { 'accept-encoding': 'identity;q=1, *;q=0', range: 'bytes=0-' }],
  ['sound', { 'accept-encoding': 'identity', 'sec-fetch-dest': 'audio' }],
  ['subtitles', { 'accept-encoding': 'identity', 'sec-fetch-dest': 'track' }],
  ['a script’s range request', { 'accept-encoding': 'identity', range: 'bytes=0-99', 'sec-fetch-dest': 'empty' }],
  ['a compression dictionary', { 'accept-encoding': 'gzip, deflate, br, zstd, dcb, dcz' }],
  [
    'a service worker’s script',
    { 'sec-fetch-dest': 'serviceworker', 'accept-language': '', 'accept-encoding': 'gzip' },
  ],
  ['a manifest', { 'sec-fetch-dest': 'manifest', 'accept-language': 'de' }],
];

describe.each(ADAPTERS)('the fingerprint on %s', (adapter: HttpAdapterName) => {
  let backend: Backend | undefined;
  let bank: Bank;

  async function signedIn(fingerprint?: SessionAuthOptions['fingerprint']): Promise<BankClient> {
    backend ??= await openBackend('memory');
    bank = await startBank({ adapter, backend, options: fingerprint === undefined ? {} : { fingerprint } });
    const alice = bank.client();
    Object.assign(alice.headers, CHROME);
    await alice.login('alice');
    bank.events.length = 0;
    return alice;
  }

  /** A thief with the cookie, and with all the headers that are not given otherwise. */
  function me(alice: BankClient, headers: Record<string, string>): ReturnType<BankClient['get']> {
    return alice.get('/api/me', { headers, cookie: `${SESSION_COOKIE}=${alice.sealed}` });
  }

  afterEach(async () => {
    await bank.close();
    await backend?.close();
    backend = undefined;
  });

  it('destroys the session by default when the browser is another', async () => {
    const alice = await signedIn();
    const other = bank.client();
    Object.assign(other.headers, CHROME, { 'user-agent': OTHERS['user-agent'] });
    other.cookies.set(SESSION_COOKIE, alice.sealed);
    const answer = await other.get('/api/me');
    expect(answer.json).toMatchObject({ statusCode: 401, code: 'session_required' });
    expect(other.cookies.has(SESSION_COOKIE)).toBe(false);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(await alice.isSignedIn()).toBe(false);
    expect(bank.events).toMatchObject([
      { type: 'session.fingerprint_mismatch', userId: 'alice', signals: ['user-agent'], action: 'destroy' },
      { type: 'session.destroyed', userId: 'alice', reason: 'fingerprint_mismatch' },
      { type: 'session.used_after_end' },
    ]);
  });

  it.each([
    ['another platform', CHROME['user-agent'].replace('X11; Linux x86_64', 'Windows NT 10.0; Win64; x64')],
    ['no User-Agent', ''],
    ['a script', 'curl/8.5.0'],
  ])('destroys it for %s', async (_, userAgent) => {
    const alice = await signedIn();
    expect((await me(alice, { 'user-agent': userAgent })).status).toBe(401);
    expect(await alice.isSignedIn()).toBe(false);
  });

  it.each([
    ['a new version of the browser', { 'user-agent': CHROME['user-agent'].replace('Chrome/130', 'Chrome/131') }],
    [
      'a new version of the system',
      { 'user-agent': CHROME['user-agent'].replace('X11; Linux x86_64', 'X11; Linux x86_64; rv:7.1') },
    ],
  ])('says nothing of %s', async (_, headers) => {
    const alice = await signedIn();
    expect((await me(alice, headers)).status).toBe(200);
    expect(bank.events).toEqual([]);
  });

  it.each([
    ['accept-language', 'another language', 'fr-FR,fr;q=0.9'],
    ['accept-language', 'a list of languages that the browser reduced', 'de-CH'],
    ['accept-language', 'no language', ''],
    ['accept-encoding', 'an encoding that a proxy rewrote', 'gzip'],
    ['accept-encoding', 'no encoding', ''],
  ])('reports, once a session, a request that differs in %s alone: %s', async (name, _, value) => {
    const alice = await signedIn();
    for (let request = 0; request < 3; request += 1) expect((await me(alice, { [name]: value })).status).toBe(200);
    expect(await alice.isSignedIn()).toBe(true);
    expect(bank.events).toMatchObject([
      { type: 'session.fingerprint_mismatch', userId: 'alice', signals: [name], action: 'report' },
    ]);
  });

  it('lets the same client in, request after request, and after re-authentication and rotation', async () => {
    const alice = await signedIn();
    expect(await alice.isSignedIn()).toBe(true);
    expect((await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' })).status).toBe(200);
    expect(await alice.isSignedIn()).toBe(true);
    expect((await me(alice, { 'user-agent': OTHERS['user-agent'] })).status).toBe(401);
  });

  it('is taken anew at a login over a live session', async () => {
    const alice = await signedIn({ onMismatch: 'report' });
    Object.assign(alice.headers, OTHERS);
    await alice.login('alice');
    bank.events.length = 0;
    expect(await alice.isSignedIn()).toBe(true);
    expect(bank.events).toEqual([]);
  });

  it.each(ODD_REQUESTS)('does not log out for %s', async (_, headers) => {
    const alice = await signedIn();
    expect((await me(alice, headers)).status).toBe(200);
    expect(await alice.isSignedIn()).toBe(true);
    expect(bank.events).toEqual([]);
  });

  it.each(ODD_REQUESTS)('sees another browser also in %s', async (_, headers) => {
    const alice = await signedIn();
    expect((await me(alice, { ...headers, 'user-agent': OTHERS['user-agent'] })).status).toBe(401);
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('spares no request that changes something, and no other signal for a Range', async () => {
    const alice = await signedIn({ onMismatch: 'destroy' });
    const range = { range: 'bytes=0-', 'sec-fetch-dest': 'video' };
    const csrf = await alice.csrfToken();
    const headers = { ...range, 'accept-encoding': 'identity' };
    expect((await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers, csrf })).status).toBe(401);
    await alice.login('alice');
    expect((await me(alice, { ...range, 'accept-language': 'en' })).status).toBe(401);
    expect(await alice.isSignedIn()).toBe(false);
  });

  it.each<[string, Record<string, string>]>([
    ['a script that sets Accept-Language', { 'accept-language': 'fr', 'sec-fetch-dest': 'empty' }],
    ['Apple’s media player', { 'user-agent': 'AppleCoreMedia/1.0.0.21E236 (iPhone; U; CPU OS 17_4_1)' }],
  ])('refuses %s where every signal may end the session, and lets it live', async (_, headers) => {
    const alice = await signedIn({ onMismatch: 'destroy' });
    expect((await me(alice, headers)).status).toBe(401);
    expect(await alice.isSignedIn()).toBe(true);
    expect(bank.events).toMatchObject([{ type: 'session.fingerprint_mismatch', action: 'reject' }]);
  });

  it('rejects without ending the session, where told so', async () => {
    const alice = await signedIn({ onMismatch: 'reject' });
    const answer = await me(alice, OTHERS);
    expect(answer.status).toBe(401);
    expect(answer.setCookies).toEqual([]);
    expect(await alice.isSignedIn()).toBe(true);
    expect(bank.events).toMatchObject([
      { type: 'session.fingerprint_mismatch', signals: Object.keys(OTHERS), action: 'reject' },
    ]);
  });

  it('only reports, where told so', async () => {
    const alice = await signedIn({ onMismatch: 'report' });
    expect((await me(alice, OTHERS)).status).toBe(200);
    expect(bank.events).toMatchObject([{ type: 'session.fingerprint_mismatch', action: 'report' }]);
  });

  it('can be switched off, and on again without logging anybody out', async () => {
    backend = await openBackend('memory');
    const alice = await signedIn(false);
    expect((await me(alice, OTHERS)).status).toBe(200);
    await bank.close();
    bank = await startBank({ adapter, backend });
    alice.port = bank.port;
    expect(await alice.isSignedIn()).toBe(true);
    expect((await me(alice, OTHERS)).status).toBe(200);
    await alice.login('alice');
    expect((await me(alice, OTHERS)).status).toBe(401);
  });

  it('takes the strictest policy of the signals that differ, each with its own', async () => {
    const alice = await signedIn({
      onMismatch: { 'User-Agent': 'destroy', 'accept-language': 'reject', 'accept-encoding': 'report' },
      headers: [
        { name: 'User-Agent', compare: 'ignore-versions' },
        { name: 'Accept-Language', compare: (value) => value.slice(0, 2) },
        'Accept-Encoding',
      ],
    });
    const updated = CHROME['user-agent'].replace('Chrome/130', 'Chrome/131');
    expect((await me(alice, { 'user-agent': updated })).status).toBe(200);
    expect((await me(alice, { 'accept-language': 'de' })).status).toBe(200);
    expect(bank.events).toEqual([]);
    expect((await me(alice, { 'accept-encoding': 'br' })).status).toBe(200);
    expect((await me(alice, { 'accept-encoding': 'br', 'accept-language': 'fr' })).status).toBe(401);
    expect(await alice.isSignedIn()).toBe(true);
    expect((await me(alice, { 'accept-language': 'fr', 'user-agent': OTHERS['user-agent'] })).status).toBe(401);
    expect(await alice.isSignedIn()).toBe(false);
    expect(bank.events.flatMap((event) => ('action' in event ? [event.action] : []))).toEqual([
      'report',
      'reject',
      'destroy',
    ]);
  });

  it('compares a signal on every request, where told so', async () => {
    const alice = await signedIn({
      headers: [{ name: 'accept-encoding', always: true }],
      onMismatch: 'destroy',
    });
    expect((await me(alice, { ...OTHERS, 'accept-encoding': CHROME['accept-encoding'] })).status).toBe(200);
    expect((await me(alice, { range: 'bytes=0-', 'accept-encoding': 'identity' })).status).toBe(401);
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('uses a signal of the application, and takes an unknown value for a match', async () => {
    const country = { headers: [], custom: ({ headers }: { headers: object }) => header(headers, 'x-country') };
    const alice = await signedIn(country);
    alice.headers['x-country'] = 'CH';
    expect((await me(alice, OTHERS)).status).toBe(200);
    await alice.login('alice');
    expect((await me(alice, { 'x-country': 'CH' })).status).toBe(200);
    delete alice.headers['x-country'];
    expect(await alice.isSignedIn()).toBe(true);
    expect((await me(alice, { 'x-country': 'XX' })).status).toBe(401);
    expect(bank.events.at(-2)).toMatchObject({ signals: ['custom'], action: 'destroy' });
  });

  it('holds under every key of the ring, and a key that is gone logs nobody out', async () => {
    const alice = await signedIn();
    const newer = 'a newer secret, 32 bytes or more of it';
    const restart = async (secrets: readonly string[]): Promise<void> => {
      await bank.close();
      bank = await startBank({ adapter, backend: backend!, secrets });
      alice.port = bank.port;
    };
    await restart([newer, ...TEST_SECRETS]);
    expect(await alice.isSignedIn()).toBe(true);
    await restart([newer]);
    expect(await alice.isSignedIn()).toBe(true);
    await restart([newer, ...TEST_SECRETS]);
    expect((await me(alice, OTHERS)).status).toBe(401);
    expect(await alice.isSignedIn()).toBe(false);
  });
});

describe('the fingerprint in Redis', () => {
  it('tells nothing of the client, and is another for every signal', async () => {
    const backend = await openBackend('redis');
    const bank = await startBank({ adapter: 'express', backend });
    try {
      const alice = bank.client();
      Object.assign(alice.headers, { ...CHROME, 'accept-language': 'xx-secret' });
      await alice.login('alice');
      const keys = await backend.redis!.keys(`${backend.namespace}*`);
      const values = await Promise.all(keys.map((key) => backend.redis!.get(key).catch(() => '')));
      const record = values.find((value) => value?.includes('"alice"'));
      expect(record).toMatch(/"f":"[\w-]{60}"/);
      expect(record).not.toContain('xx-secret');
      expect(await alice.isSignedIn({ headers: { 'user-agent': 'another' } })).toBe(false);
    } finally {
      await bank.close();
      await backend.close();
    }
  });
});

describe('fingerprint options', () => {
  it.each<[unknown, RegExp]>([
    [true, /fingerprint: given a boolean; allowed is an object/],
    [{ onMismatch: 'ignore' }, /fingerprint\.onMismatch: given 'ignore'; allowed is 'destroy', 'reject', 'report'/],
    [{ headers: 'user-agent' }, /fingerprint\.headers: given 'user-agent'; allowed is an array/],
    [{ headers: ['user agent'] }, /fingerprint\.headers\[0\]\.name: given 'user agent'/],
    [{ headers: ['custom'] }, /fingerprint\.headers\[0\]\.name: given 'custom'/],
    [{ headers: [{}] }, /fingerprint\.headers\[0\]\.name/],
    [{ headers: [1] }, /fingerprint\.headers\[0\]: given a number/],
    [{ headers: ['accept', { name: 'dnt', compare: 'loose' }] }, /fingerprint\.headers\[1\]\.compare: given 'loose'/],
    [{ headers: ['accept', 'Accept'] }, /fingerprint\.headers: given a header twice/],
    [{ headers: [{ name: 'dnt', policy: 'destroy' }] }, /fingerprint\.headers\[0\]\.policy: given an unknown option/],
    [{ headers: [{ name: 'dnt', onMismatch: 'report' }] }, /fingerprint\.headers\[0\]\.onMismatch: given an unknown/],
    [{ onMismatch: { dnt: 'report' } }, /fingerprint\.onMismatch\.dnt: given an unknown option/],
    [{ custom: 'country' }, /fingerprint\.custom: given 'country'/],
    [{ custom: {} }, /fingerprint\.custom: given an object; allowed is a function/],
  ])('%p do not boot', async (fingerprint, message) => {
    const backend = await openBackend('memory');
    const options = { fingerprint: fingerprint as SessionAuthOptions['fingerprint'] };
    await expect(startBank({ adapter: 'express', backend, options })).rejects.toThrow(message);
  });
});

function header(headers: object, name: string): string | undefined {
  return (headers as Record<string, string | undefined>)[name];
}
