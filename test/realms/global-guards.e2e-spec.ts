import { afterEach, describe, expect, it } from '@jest/globals';
import { SERVERS } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import { startRealms, type RealmApp, type RealmName } from '../support/realm-app.js';
import { DOORS } from '../support/realm-doors.js';

describe.each(SERVERS)('on %s, a realm whose guards are global', (adapter) => {
  afterEach(closeApps);

  const open = (global: RealmName): Promise<RealmApp> =>
    startRealms(adapter, () => 'memory', { [global]: { global: true, csrf: { global: true } } }, DOORS);

  // the order of the decorator does not matter: each of the two is global once
  it.each(['staff', 'partner'] as const)('guards its routes and those of either, and no others: %s', async (global) => {
    const realms = await open(global);
    const other = global === 'staff' ? 'partner' : 'staff';
    const browser = realms.browser();
    const get = async (path: string): Promise<number> => (await browser.get(`/handler/${path}`)).status;
    const post = async (path: string, csrf?: string): Promise<number> =>
      (await browser.ask('POST', `/handler/${path}`, { csrf: csrf ?? false })).status;
    expect([await get(`${global}/open`), await get('either/open'), await get(`${other}/open`)]).toEqual([
      401, 401, 200,
    ]);
    for (const path of [global, 'either', other]) expect(await get(`${path}/public`)).toBe(200);
    expect((await browser.get('/lobby')).json).toEqual([null, null, null]);
    expect([await post(`${other}/unmarked`), await post('either/unmarked')]).toEqual([201, 401]);

    await browser.login(other);
    expect([await get(`${global}/open`), await get('either/open')]).toEqual([401, 200]);
    expect((await browser.get('/handler/either/open')).json).toEqual({ by: other });
    expect([await post(`${other}/unmarked`), await post('either/unmarked')]).toEqual([201, 403]);
    expect(await post('either/unmarked', await browser.csrf(other))).toBe(201);
    expect(await post('either/unmarked', await browser.csrf(global))).toBe(403);
    expect(await post('either/exempt')).toBe(201);

    await browser.login(global);
    expect([await get(`${global}/open`), await get('either/open')]).toEqual([200, 200]);
    expect((await browser.get('/handler/either/open')).json).toEqual({ by: 'staff' });
    expect(await post('either/unmarked', await browser.csrf('staff'))).toBe(201);
  });
});
