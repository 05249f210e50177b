import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SERVERS } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import {
  authPath,
  cookieName,
  cookieNames,
  PAIRS,
  PASSWORD,
  REALMS,
  startRealms,
  type RealmApp,
  type RealmName,
} from '../support/realm-app.js';
import { watchedBackend, type WatchedBackend } from '../support/watched-store.js';

describe.each(SERVERS)('three realms with equal secrets on %s', (adapter) => {
  let backends: Record<RealmName, WatchedBackend>;
  let realms: RealmApp;

  beforeEach(async () => {
    backends = { default: watchedBackend(), staff: watchedBackend(), partner: watchedBackend() };
    realms = await startRealms(adapter, (realm) => backends[realm].storage);
  });
  afterEach(closeApps);

  /** What the stores of all realms were asked for since the last call. */
  const asked = (): string[] =>
    REALMS.flatMap((realm) => backends[realm].calls.splice(0).map((call) => `${realm}: ${call}`)).filter(
      (call) => !call.includes('ofRealm'),
    );

  it.each(PAIRS)('take no cookie of %s for one of %s, and ask no store because of it', async (one, other) => {
    const browser = realms.browser();
    await browser.login(one, 'alice', true);
    await browser.csrf(one);
    const [from, to] = [cookieNames(one), cookieNames(other)];
    const renamed = from.map((name, i) => `${to[i]!}=${browser.cookies.get(name) ?? browser.cookies.get(from[0]!)!}`);
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

  it.each(PAIRS)('take no CSRF token of %s in %s, where both are signed in', async (one, other) => {
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

  it.each(PAIRS)('let no token of a login form of %s log anybody in to %s', async (one, other) => {
    const browser = realms.browser();
    const csrf = await browser.csrf(one);
    const body = { email: 'alice@example.com', password: PASSWORD };
    const renamed = `${cookieName(other)}-csrf=${browser.cookies.get(`${cookieName(one)}-csrf`)!}`;
    const refused = await browser.ask('POST', `${authPath(other)}/login`, { csrf, body, cookie: renamed });
    expect(refused).toMatchObject({ status: 403, json: { code: 'csrf_failed', realm: other } });
  });

  it.each(PAIRS)('know no session of %s by its handle in %s', async (one, other) => {
    const [browser, second] = [realms.browser(), realms.browser()];
    const { id } = await browser.login(one);
    await browser.login(other);
    const foreign = await browser.auth(other, 'DELETE', `sessions/${id}`);
    expect(foreign).toMatchObject({ status: 404, json: { code: 'not_found', realm: other } });
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

  it('ask the store of the route’s realm, once, whatever other cookies come with it', async () => {
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
});
