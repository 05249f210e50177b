import { afterEach, describe, expect, it } from '@jest/globals';
import type { SessionAuthOptions } from 'nestjs-session-auth';
import { SERVERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { CookieSet } from '../../libs/session-auth/src/http/cookie-set.js';
import { closeApps, forRoot, start } from '../support/door-app.js';

type Cookie = NonNullable<SessionAuthOptions['cookie']>;

afterEach(closeApps);

describe.each(SERVERS)('the attributes of our cookies on %s', (adapter) => {
  let bank: Bank | undefined;

  afterEach(() => bank?.close());

  /** Every cookie that a login sets, remember-me and pre-session included: attributes by name, in lower case. */
  async function cookiesOf(options: Partial<SessionAuthOptions> = {}): Promise<Map<string, Map<string, string>>> {
    bank = await startBank({ adapter, backend: await openBackend('memory'), options });
    const alice = bank.client();
    const lines = [
      ...(await alice.get('/auth/csrf')).setCookies,
      ...(await alice.tryLogin('alice', { rememberMe: true })).setCookies.filter((line) => !/; Max-Age=0;/.test(line)),
    ];
    return new Map(
      lines.map((line) => {
        const [pair = '', ...parts] = line.split('; ');
        const attributes = parts.map((part) => part.toLowerCase().split('=') as [string, string?]);
        // a name that comes twice would be an attribute that browsers disagree on
        expect(new Set(attributes.map(([name]) => name)).size).toBe(attributes.length);
        return [pair.split('=')[0]!, new Map(attributes.map(([name, value = '']) => [name, value]))];
      }),
    );
  }

  it('are as strict as can be by default: __Host-, Secure, HttpOnly, SameSite, no Domain, until the browser closes', async () => {
    const cookies = await cookiesOf();
    const session = new Map([
      ['path', '/'],
      ['httponly', ''],
      ['secure', ''],
      ['samesite', 'lax'],
    ]);
    expect(cookies.get('__Host-session')).toEqual(session);
    expect(cookies.get('__Host-session-csrf')).toEqual(session);
    for (const [name, days] of [
      ['__Host-session-remember', 30],
      ['__Host-session-device', 180],
    ] as const) {
      expect(cookies.get(name)).toEqual(new Map([...session, ['max-age', String(days * 86_400)]]));
    }
    expect(cookies.size).toBe(4);
  });

  it.each<[string, Cookie]>([
    ['the default', {}],
    ['__Host-Http-, which says that no script set it', { name: '__Host-Http-id' }],
    ['a name of the application’s own', { name: 'id', sameSite: 'strict', path: '/' }],
    ['partitioned, for frames', { sameSite: 'none', partitioned: true }],
    ['a shared domain', { name: '__Secure-id', domain: 'bank.example' }],
    ['plain HTTP, for development', { name: 'id', secure: false }],
  ])('are HttpOnly with SameSite on every cookie: %s', async (_what, cookie) => {
    const cookies = await cookiesOf({ cookie });
    expect(cookies.size).toBe(4);
    for (const [name, attributes] of cookies) {
      expect(name.startsWith(cookie.name ?? '__Host-session')).toBe(true);
      expect(attributes.has('httponly')).toBe(true);
      expect(attributes.get('samesite')).toBe(cookie.sameSite ?? 'lax');
      expect(attributes.has('secure')).toBe(cookie.secure ?? true);
      expect(attributes.get('domain')).toBe(cookie.domain);
      expect(attributes.has('partitioned')).toBe(cookie.partitioned ?? false);
    }
  });

  it('never ask a browser to keep a cookie for more than 400 days', async () => {
    const cookies = await cookiesOf({
      cookie: { maxAge: '1000d' },
      lifetime: { idle: '1h', absolute: '2000d' },
    });
    const ages = [...cookies.values()].flatMap((attributes) => Number(attributes.get('max-age') ?? 0));
    expect(Math.max(...ages)).toBe(34_560_000);
    await expect(cookiesOf({ rememberMe: { lifetime: '401d' } })).rejects.toThrow(/rememberMe\.lifetime/);
    await expect(cookiesOf({ deviceCookie: { lifetime: '401d' } })).rejects.toThrow(/deviceCookie\.lifetime/);
  });

  it('follow the idle or the absolute deadline where told so', async () => {
    const idle = await cookiesOf({ cookie: { maxAge: 'idle' } });
    expect(idle.get('__Host-session')?.get('max-age')).toBe('3600');
    await bank?.close();
    const absolute = await cookiesOf({ cookie: { maxAge: 'absolute' } });
    expect(absolute.get('__Host-session')?.get('max-age')).toBe('86400');
  });

  it('leave every cookie far below 4096 bytes, with the longest name and any session data', async () => {
    bank = await startBank({
      adapter,
      backend: await openBackend('memory'),
      options: { cookie: { name: `__Host-${'x'.repeat(93)}` } },
    });
    const alice = bank.client();
    await alice.login('alice', { rememberMe: true });
    const { status } = await alice.ask('PATCH', '/api/preferences', { body: { large: 'x'.repeat(60_000) } });
    expect(status).toBe(200);
    await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' });
    const sizes = [...alice.cookies].map(([name, value]) => name.length + value.length);
    expect(sizes.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...sizes)).toBeLessThan(512);
  });

  it('tell nothing: no framework’s name, no user, and never the same value', async () => {
    bank = await startBank({ adapter, backend: await openBackend('memory') });
    const cookies = bank.app.get(CookieSet, { strict: false });
    const values = new Set<string>();
    const tokens = new Set<string>();
    for (let count = 0; count < 5; count += 1) {
      const alice = bank.client();
      await alice.login('alice', { rememberMe: true });
      for (const [name, value] of alice.cookies) {
        expect(name).not.toMatch(/nest|express|fastify|connect|sid/i);
        const decoded = Buffer.from(value, 'base64url').toString('latin1');
        for (const told of [value, decoded]) expect(told).not.toMatch(/alice|customer|example/i);
        values.add(value);
      }
      // sealed, one and the same token would look another each time
      const now = bank.clock.now();
      for (const opened of [cookies.session.read(alice.cookie, now), cookies.rememberMe!.read(alice.cookie, now)]) {
        tokens.add(opened!.token);
      }
      tokens.add(cookies.device!.read(alice.cookie, now)!.id);
    }
    expect([values.size, tokens.size]).toEqual([15, 15]);
  });

  it.each<[string, Cookie]>([
    ['__Host- with a Domain', { domain: 'bank.example' }],
    ['__Host- with another Path', { path: '/app' }],
    ['__Host- without Secure', { secure: false }],
    ['__Secure- without Secure', { name: '__Secure-id', secure: false }],
    ['__host-Http- without Secure', { name: '__host-Http-id', secure: false }],
    ['SameSite=None without Secure', { name: 'id', sameSite: 'none', secure: false }],
    ['Partitioned without Secure', { name: 'id', partitioned: true, secure: false }],
    ['an attribute in the name', { name: 'id; Domain=evil.example' }],
    ['an attribute in the path', { path: '/; Domain=evil.example' }],
    ['an attribute in the domain', { name: 'id', domain: 'a.example; HttpOnly' }],
    ['a switch for HttpOnly', { httpOnly: false } as Cookie],
  ])('do not boot with %s', async (_what, cookie) => {
    await expect(start(forRoot({ cookie }), { adapter })).rejects.toMatchObject({ code: 'invalid_configuration' });
  });
});
