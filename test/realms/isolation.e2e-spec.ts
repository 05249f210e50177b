import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { realmToken, SessionEventPublisher, SessionLifecycleService, type SessionEvent } from 'nestjs-session-auth';
import { openBackend, SERVERS, STORES, type Backend } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import {
  authPath,
  cookieName,
  cookieNames,
  PAIRS,
  PASSWORD,
  REALMS,
  startRealms,
  type Browser,
  type RealmApp,
  type RealmName,
} from '../support/realm-app.js';
import { watchedStorage } from '../support/watched-store.js';

/** Every adapter, and every store. */
const PLACES = [
  ...SERVERS.map((adapter) => ({ adapter, store: 'memory' as const })),
  ...STORES.filter((store) => store !== 'memory').map((store) => ({ adapter: SERVERS[0]!, store })),
];

describe.each(PLACES)(
  'three realms with equal secrets and one storage, on $adapter with $store',
  ({ adapter, store }) => {
    let backend: Backend;
    let realms: RealmApp;
    const calls: string[] = [];

    beforeEach(async () => {
      backend = await openBackend(store);
      const storage = watchedStorage(backend.storage, calls);
      realms = await startRealms(adapter, () => storage);
    });
    afterEach(async () => {
      await closeApps();
      await backend.close();
    });

    /** What the stores were asked for since the last call; not that the audit log was told of an event. */
    const asked = (): string[] => calls.splice(0).filter((call) => !call.endsWith(': record'));

    /** The four cookies of a realm that a browser is given when it logs in, by the ends of their names. */
    const cookiesOf = async (realm: RealmName): Promise<{ browser: Browser; values: string[] }> => {
      const form = realms.browser();
      await form.csrf(realm);
      const browser = realms.browser();
      await browser.login(realm, 'alice', true);
      const [session, preSession, remember, device] = cookieNames(realm);
      const values = [
        browser.cookies.get(session!),
        form.cookies.get(preSession!),
        browser.cookies.get(remember!),
        browser.cookies.get(device!),
      ];
      for (const value of values) expect(value).toMatch(/^[\w-]{20,}$/);
      return { browser, values: values as string[] };
    };

    it.each(PAIRS)('do not accept a cookie of %s in %s, and do not use the store for it', async (one, other) => {
      const { browser, values } = await cookiesOf(one);
      // each in its own place, and in that of each other
      const renamed = values.flatMap((value) => cookieNames(other).map((name) => `${name}=${value}`));
      asked();
      for (const cookie of renamed) {
        expect((await realms.browser().get(`/room/${other}/me`, { cookie })).status).toBe(401);
        expect((await realms.browser().get(`/room/${other}/open`, { cookie })).json).toEqual({});
        expect((await realms.browser().get(`${authPath(other)}/session`, { cookie })).status).toBe(401);
        const act = { cookie, csrf: 'x' };
        expect((await realms.browser().ask('POST', `/room/${other}/act`, act)).status).toBe(401);
        expect((await realms.browser().ask('POST', `${authPath(other)}/reauthenticate`, act)).status).toBe(403);
      }
      expect(asked()).toEqual([]);
      expect(await browser.signedInTo()).toEqual([one]);
    });

    it.each(PAIRS)('do not accept a CSRF token of %s in %s, with both signed in', async (one, other) => {
      const browser = realms.browser();
      await browser.login(one);
      await browser.login(other);
      const [csrf, own] = [await browser.csrf(one), await browser.csrf(other)];
      asked();
      const refused = await browser.ask('POST', `/room/${other}/act`, { csrf });
      expect(refused).toMatchObject({ status: 403, json: { code: 'csrf_failed', realm: other } });
      const calls = asked();
      expect(calls.length).toBeLessThanOrEqual(1);
      expect(calls.filter((call) => !call.startsWith(`${other}: find`))).toEqual([]);
      expect((await browser.ask('POST', `/room/${other}/act`, { csrf: own })).json).toEqual({ by: other });
    });

    it.each(PAIRS)('do not recognise a browser by the device cookie of %s in %s', async (one, other) => {
      const { values } = await cookiesOf(one);
      const events: SessionEvent[] = [];
      const publisher = realms.app.get<SessionEventPublisher>(realmToken(other, SessionEventPublisher));
      publisher.subscribe((event) => void events.push(event));
      const browser = realms.browser();
      browser.cookies.set(`${cookieName(other)}-device`, values[3]!);
      await browser.login(other);
      const own = browser.cookies.get(`${cookieName(other)}-device`)!;
      await browser.auth(other, 'POST', 'logout');
      browser.cookies.set(`${cookieName(other)}-device`, own);
      await browser.login(other);
      const created = events.filter((event) => event.type === 'session.created');
      expect(created.map(({ realm, newDevice }) => [realm, newDevice])).toEqual([
        [other, true],
        [other, false],
      ]);
    });

    it.each(PAIRS)('find nothing by a token of %s in the services of %s, and use no store', async (one, other) => {
      const service = (realm: RealmName): SessionLifecycleService =>
        realms.app.get<SessionLifecycleService>(realmToken(realm, SessionLifecycleService));
      const { token, session } = await service(one).create({ user: { id: 'alice' } });
      asked();
      expect(await service(other).find(token)).toBeUndefined();
      expect(await service(other).destroy(token)).toBe(false);
      expect(asked()).toEqual([]);
      expect(await service(other).revoke('alice', session.id)).toBe(false);
      expect(asked().filter((call) => !call.startsWith(`${other}: `))).toEqual([]);
      expect((await service(one).find(token))?.id).toBe(session.id);
    });

    it.each(PAIRS)('let no token of a login form of %s log anybody in to %s', async (one, other) => {
      const browser = realms.browser();
      const csrf = await browser.csrf(one);
      const body = { email: 'alice@example.com', password: PASSWORD };
      const renamed = `${cookieName(other)}-csrf=${browser.cookies.get(`${cookieName(one)}-csrf`)!}`;
      const refused = await browser.ask('POST', `${authPath(other)}/login`, { csrf, body, cookie: renamed });
      expect(refused).toMatchObject({ status: 403, json: { code: 'csrf_failed', realm: other } });
    });

    it.each(PAIRS)('do not find a session of %s by its handle in %s', async (one, other) => {
      const [browser, second] = [realms.browser(), realms.browser()];
      const { id } = await browser.login(one);
      await browser.login(other);
      asked();
      const foreign = await browser.auth(other, 'DELETE', `sessions/${id}`);
      expect(foreign).toMatchObject({ status: 404, json: { code: 'not_found', realm: other } });
      expect(asked().filter((call) => !call.startsWith(`${other}: `))).toEqual([]);
      await second.login(other);
      expect(await browser.auth(other, 'DELETE', 'sessions')).toMatchObject({ status: 200, json: { revoked: 1 } });
      expect(await browser.signedInTo()).toEqual(REALMS.filter((realm) => realm === one || realm === other));
      const list = (await browser.get(`${authPath(other)}/sessions`)).json as { id: string }[];
      expect(list.map((session) => session.id)).not.toContain(id);
      expect(list).toHaveLength(1);
    });

    it.each(PAIRS)('end a session of %s and leave that of %s, its data and its tokens', async (one, other) => {
      const browser = realms.browser();
      for (const realm of [one, other]) await browser.login(realm, 'alice', true);
      await browser.get(`/room/${other}/save`);
      const csrf = await browser.csrf(other);
      const others = new Map([...browser.cookies].filter(([name]) => cookieNames(other).includes(name)));
      const out = await browser.auth(one, 'POST', 'logout');
      expect([out.status, out.headers['clear-site-data']]).toEqual([204, undefined]);
      for (const name of cookieNames(one)) expect(browser.cookies.has(name)).toBe(false);
      expect(new Map([...browser.cookies].filter(([name]) => cookieNames(other).includes(name)))).toEqual(others);
      expect(await browser.signedInTo()).toEqual([other]);
      expect((await browser.get(`/room/${other}/data`)).json).toEqual({ saved: other });
      expect((await browser.ask('POST', `/room/${other}/act`, { csrf })).json).toEqual({ by: other });
    });

    it('read the store of the route’s realm once, with any other cookies in the request', async () => {
      const browser = realms.browser();
      for (const realm of REALMS) await browser.login(realm);
      for (const realm of REALMS) {
        asked();
        const me = await browser.get(`/room/${realm}/me`);
        expect(me.json).toEqual({ realm, userId: 'alice', roles: [realm] });
        expect(asked()).toEqual([`${realm}: find`]);
      }
    });

    it('have services that act for their own realm on any route', async () => {
      const browser = realms.browser();
      await browser.login('staff');
      expect((await browser.get('/lobby')).json).toEqual([null, 'staff', null]);
      await browser.login('default');
      await browser.login('partner');
      expect((await browser.get('/lobby')).json).toEqual(['default', 'staff', 'partner']);
    });

    it('have routes of several realms: the first that has a live session counts, also for CSRF tokens', async () => {
      const browser = realms.browser();
      expect(await browser.get('/lobby/either')).toMatchObject({ status: 401, json: { realm: 'staff' } });
      expect((await browser.get('/lobby/open')).json).toEqual({});
      await browser.login('default');
      expect((await browser.get('/lobby/either')).status).toBe(401);
      await browser.login('partner');
      expect((await browser.get('/lobby/either')).json).toEqual({ realm: 'partner', roles: ['partner'] });
      expect((await browser.get('/lobby/open')).json).toEqual({ by: 'partner' });
      const partners = await browser.csrf('partner');
      expect((await browser.ask('POST', '/lobby/either', { csrf: partners })).json).toEqual({ by: 'partner' });
      expect((await browser.ask('POST', '/lobby/either', { csrf: await browser.csrf('staff') })).status).toBe(403);
      expect((await browser.ask('POST', '/lobby/token-first', { csrf: partners })).json).toEqual({ by: 'partner' });
      expect((await browser.ask('POST', '/lobby/token-first', { csrf: await browser.csrf('staff') })).status).toBe(403);
      await browser.login('staff');
      expect((await browser.get('/lobby/either')).json).toEqual({ realm: 'staff', roles: ['staff'] });
      for (const path of ['either', 'token-first']) {
        expect((await browser.ask('POST', `/lobby/${path}`, { csrf: partners })).status).toBe(403);
      }
      const staffs = await browser.csrf('staff');
      for (const path of ['either', 'token-first']) {
        expect((await browser.ask('POST', `/lobby/${path}`, { csrf: staffs })).json).toEqual({ by: 'staff' });
      }
    });

    it('sign no remembered device of one realm in by the CSRF token of another', async () => {
      const browser = realms.browser();
      await browser.login('partner', 'alice', true);
      browser.cookies.delete(cookieName('partner'));
      const csrf = await browser.csrf('staff');
      expect((await browser.ask('POST', '/lobby/token-first', { csrf })).status).toBe(401);
      expect(await browser.signedInTo()).toEqual(['partner']);
    });
  },
);
