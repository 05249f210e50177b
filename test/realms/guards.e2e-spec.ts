import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signInAs, type SignInAsOptions } from 'nestjs-session-auth/testing';
import { SERVERS } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import { cookieName, startRealms, type RealmApp, type RealmName } from '../support/realm-app.js';
import { DOORS, PLACES } from '../support/realm-doors.js';

const DAY = 24 * 60 * 60_000;
const ALICE = { id: 'alice', email: 'alice@example.com', roles: ['boss'] };

/** A guard, a session that it refuses, and how; the session that it lets pass has what all of them ask for. */
const GUARDS: [door: string, user: typeof ALICE, options: SignInAsOptions, status: number, code: string][] = [
  ['roles', { ...ALICE, roles: [] }, {}, 403, 'forbidden'],
  ['recent', ALICE, { authenticatedAt: new Date(Date.now() - DAY) }, 401, 'recent_authentication_required'],
  ['full', ALICE, { authentication: 'remember-me' }, 401, 'recent_authentication_required'],
  ['factor', ALICE, {}, 401, 'further_factor_required'],
  ['user', { ...ALICE, id: 'nobody' }, {}, 401, 'session_required'],
];

const ORIGINS = { staff: 'https://staff.example', partner: 'https://partner.example', both: 'https://both.example' };

describe.each(SERVERS.flatMap((adapter) => PLACES.map((place) => [adapter, place] as const)))(
  'on %s, the realm that a decorator of the %s names',
  (adapter, place) => {
    let realms: RealmApp;

    beforeAll(async () => {
      const trusting = (origin: string): object => ({ csrf: { trustedOrigins: [origin, ORIGINS.both] } });
      const given = { staff: trusting(ORIGINS.staff), partner: trusting(ORIGINS.partner) };
      realms = await startRealms(adapter, () => 'memory', given, DOORS);
    });
    afterAll(closeApps);

    const cookieOf = async (realm: RealmName, user = ALICE, options: SignInAsOptions = {}): Promise<string> =>
      (await signInAs(realms.app, user, { realm, ...options })).cookie;
    const good = (realm: RealmName): Promise<string> => cookieOf(realm, ALICE, { factors: ['totp'] });
    const ask = (path: string, ...cookies: string[]): ReturnType<ReturnType<RealmApp['browser']>['get']> =>
      realms.browser().get(`/${place}/${path}`, { cookie: cookies.join('; ') });

    it.each(['session', ...GUARDS.map(([door]) => door)])('is the one whose session %s asks for', async (door) => {
      const others = [await good('default'), await good('partner')];
      const refused = await ask(`staff/${door}`, ...others);
      expect(refused).toMatchObject({ status: 401, json: { code: 'session_required', realm: 'staff' } });
      expect((await ask(`staff/${door}`, ...others, await good('staff'))).json).toEqual({ by: 'staff' });
    });

    it.each(['session', ...GUARDS.map(([door]) => door)])(
      'is of two the first that has a live session, for %s',
      async (door) => {
        const nobody = await ask(`either/${door}`, await good('default'));
        expect(nobody).toMatchObject({ status: 401, json: { code: 'session_required', realm: 'staff' } });
        const partner = await good('partner');
        expect((await ask(`either/${door}`, partner)).json).toEqual({ by: 'partner' });
        expect((await ask(`either/${door}`, partner, await good('staff'))).json).toEqual({ by: 'staff' });
      },
    );

    it.each(GUARDS)('is the one whose session %s judges, of two as well', async (door, user, options, status, code) => {
      const [own, others] = [await cookieOf('staff', user, options), await good('partner')];
      const refused = { status, json: { code, realm: 'staff' } };
      expect(await ask(`staff/${door}`, own)).toMatchObject(refused);
      // a session that would do better in the second realm is not looked for
      const again = await cookieOf('staff', user, options);
      expect(await ask(`either/${door}`, again, others)).toMatchObject(refused);
      const second = await cookieOf('partner', user, options);
      expect(await ask(`either/${door}`, second)).toMatchObject({ status, json: { code, realm: 'partner' } });
    });

    it.each(['open', 'public'])('gives a route that is %s its session, or none', async (door) => {
      expect((await ask(`staff/${door}`, await good('partner'))).json).toEqual({ by: null });
      expect((await ask(`staff/${door}`, await good('staff'))).json).toEqual({ by: 'staff' });
      expect((await ask(`either/${door}`, await good('default'))).json).toEqual({ by: null });
      expect((await ask(`either/${door}`, await good('partner'))).json).toEqual({ by: 'partner' });
    });

    it('is the one whose remembered device a passive request does not sign in', async () => {
      for (const realm of ['staff', 'partner'] as const) {
        const browser = realms.browser();
        await browser.login(realm, 'alice', true);
        browser.cookies.delete(cookieName(realm));
        for (const path of [realm, 'either']) {
          expect((await browser.get(`/${place}/${path}/passive`)).json).toEqual({ by: null });
        }
        const other = realm === 'staff' ? 'partner' : 'staff';
        const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        expect((await ask('either/passive', cookie, await good(other))).json).toEqual({ by: other });
        expect((await browser.get(`/${place}/either/open`)).json).toEqual({ by: realm });
        expect((await browser.get(`/${place}/either/passive`)).json).toEqual({ by: realm });
      }
    });

    it('is the one whose CSRF token is asked for: of two that of the live session, else of the first', async () => {
      const act = async (path: string, csrf: RealmName, browser = realms.browser()): Promise<unknown> => {
        const answer = await browser.ask('POST', `/${place}/${path}/act`, { csrf: await browser.csrf(csrf) });
        return answer.status === 201 ? answer.json : [answer.status, (answer.json as { realm: string }).realm];
      };
      expect(await act('staff', 'staff')).toEqual({ by: null });
      expect(await act('staff', 'partner')).toEqual([403, 'staff']);
      expect(await act('either', 'staff')).toEqual({ by: null });
      expect(await act('either', 'partner')).toEqual([403, 'staff']);
      const browser = realms.browser();
      await browser.login('partner');
      expect(await act('either', 'partner', browser)).toEqual({ by: 'partner' });
      expect(await act('either', 'staff', browser)).toEqual([403, 'partner']);
      expect(await act('staff', 'partner', browser)).toEqual([403, 'staff']);
    });

    it('is the one whose trusted origins may embed: of two those of both, or of the session that was asked for', async () => {
      const embed = async (path: string, origin: string, realm: RealmName = 'partner'): Promise<number> => {
        const headers = { origin, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
        return (await realms.browser().get(`/${place}/${path}`, { headers, cookie: await good(realm) })).status;
      };
      expect(await embed('staff/picture', ORIGINS.staff)).toBe(200);
      expect(await embed('staff/picture', ORIGINS.partner)).toBe(403);
      for (const [origin, status] of [
        [ORIGINS.staff, 403],
        [ORIGINS.partner, 403],
        [ORIGINS.both, 200],
      ] as const) {
        expect([origin, await embed('either/picture', origin)]).toEqual([origin, status]);
      }
      expect(await embed('either/private-picture', ORIGINS.partner)).toBe(200);
      expect(await embed('either/private-picture', ORIGINS.staff)).toBe(403);
      expect(await embed('either/private-picture', ORIGINS.staff, 'staff')).toBe(200);
    });
  },
);
