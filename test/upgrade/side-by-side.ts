import { expect, it } from '@jest/globals';
import { send } from '../support/bank-client.js';
import { Browser, cookieName, PASSWORD } from '../support/realm-app.js';

const REMEMBER = `${cookieName('default')}-remember`;
const SESSION = cookieName('default');

let users = 0;

/** A name that no other test uses. */
export const newName = (): string => `user${(users += 1)}`;

/** What a node answers of the session of a browser. */
export async function me(browser: Browser, realm: 'default' | 'staff' = 'default'): Promise<unknown> {
  const { status, json } = await browser.get(`/room/${realm}/me`);
  return status === 200 ? json : status;
}

/** Lets a browser ask another node from now on. */
export const move = (browser: Browser, port: number): Browser => Object.assign(browser, { port });

/** Has the back end of a node do something about a user. */
export async function service(port: number, call: string, id: string): Promise<unknown> {
  const { status, json, text } = await send(port, 'GET', `/services/${call}?id=${encodeURIComponent(id)}`);
  if (status !== 200) throw new Error(`${call} at ${port}: ${status} ${text}`);
  return json;
}

/**
 * Declares what holds of two nodes of different versions on one store: what is begun at the first is read, used,
 * changed and ended at the other.
 *
 * @param ports those of the first node and the other, once the tests run
 */
export function sideBySide(ports: () => readonly [first: number, then: number]): void {
  const first = (): number => ports()[0];
  const then = (): number => ports()[1];
  const browserAt = (port: number): Browser => new Browser(port, send);
  /** Closes the browser and opens it again: the device is remembered. */
  const restart = (browser: Browser): boolean => browser.cookies.delete(SESSION);

  it('a session is one, with its data', async () => {
    const name = newName();
    const browser = browserAt(first());
    const { id } = await browser.login('default', name);
    expect(await me(move(browser, then()))).toEqual({ id, userId: name, roles: ['customer'], data: {} });
    await browser.get('/room/default/save?one=1');
    await move(browser, first()).get('/room/default/save?two=2');
    for (const node of [then(), first()]) {
      expect(await me(move(browser, node))).toMatchObject({ id, data: { one: '1', two: '2' } });
    }
  });

  it('tokens are replaced by either, and one of a moment ago still passes', async () => {
    const name = newName();
    const browser = browserAt(first());
    const { id } = await browser.login('default', name);
    const cookies = new Set<string>();
    for (let i = 0; i < 8; i += 1) {
      const cookie = `${cookieName('default')}=${browser.cookies.get(cookieName('default'))!}`;
      cookies.add(cookie);
      expect(await me(move(browser, i % 2 === 0 ? then() : first()))).toMatchObject({ id, userId: name });
      const again = [first(), then(), first(), then()].map((node) => send(node, 'GET', '/room/default/me', { cookie }));
      for (const { status } of await Promise.all(again)) expect(status).toBe(200);
    }
    expect(cookies.size).toBeGreaterThan(3);
  });

  it('a logout at one is one at the other', async () => {
    const browser = browserAt(first());
    await browser.login('default', newName(), true);
    const cookies = new Map(browser.cookies);
    expect((await move(browser, then()).auth('default', 'POST', 'logout')).status).toBe(204);
    for (const [cookie, value] of cookies) browser.cookies.set(cookie, value);
    for (const node of [first(), then()]) expect(await me(move(browser, node))).toBe(401);
  });

  it('a user sees the sessions of both, and ends them', async () => {
    const name = newName();
    const [one, two, three] = [browserAt(first()), browserAt(then()), browserAt(first())];
    const ids = [];
    for (const browser of [one, two, three]) ids.push((await browser.login('default', name)).id);
    for (const node of [first(), then()]) {
      const list = (await move(one, node).get('/auth/sessions')).json as { id: string; current: boolean }[];
      expect(list.map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect(list.filter(({ current }) => current).map(({ id }) => id)).toEqual([ids[0]]);
    }
    expect((await move(one, then()).auth('default', 'DELETE', `sessions/${ids[2]!}`)).status).toBe(204);
    expect(await me(three)).toBe(401);
    expect(await one.auth('default', 'DELETE', 'sessions')).toMatchObject({ status: 200, json: { revoked: 1 } });
    expect([await me(move(two, first())), await me(move(two, then()))]).toEqual([401, 401]);
    expect(await me(move(one, first()))).toMatchObject({ id: ids[0] });
  });

  it('a remembered device is signed in by either, and forgotten by both', async () => {
    const name = newName();
    const browser = browserAt(first());
    await browser.login('default', name, true);
    const used = new Set<string>();
    for (const node of [then(), first(), then()]) {
      restart(browser);
      used.add(browser.cookies.get(REMEMBER)!);
      expect(await me(move(browser, node))).toMatchObject({ userId: name });
    }
    expect(used.size).toBe(3);
    const token = browser.cookies.get(REMEMBER)!;
    await move(browser, first()).auth('default', 'POST', 'logout');
    browser.cookies.set(REMEMBER, token);
    expect(await me(move(browser, then()))).toBe(401);
  });

  it('CSRF tokens of one pass at the other, before the login and behind it', async () => {
    const name = newName();
    const browser = browserAt(first());
    const ofForm = await browser.csrf('default');
    const body = { email: `${name}@example.com`, password: PASSWORD };
    expect((await move(browser, then()).ask('POST', '/auth/login', { csrf: ofForm, body })).status).toBe(200);
    const csrf = await browser.csrf('default');
    const act = await move(browser, first()).ask('POST', '/room/default/act', { csrf });
    expect(act).toMatchObject({ status: 201, json: { by: name } });
    const refused = await move(browser, then()).ask('POST', '/room/default/act', { csrf: ofForm });
    expect(refused.status).toBe(403);
  });

  it('a limit holds for both together, under parallel logins', async () => {
    const name = newName();
    const browsers = Array.from({ length: 12 }, (_, i) => browserAt(i % 2 === 0 ? first() : then()));
    await Promise.all(browsers.map(async (browser) => browser.get(`/room/default/enter?id=${name}`)));
    const lists = [await service(first(), 'list', name), await service(then(), 'list', name)];
    expect(lists[0]).toHaveLength(3);
    expect(lists[1]).toEqual(lists[0]);
    const live = await Promise.all(browsers.map(async (browser) => me(move(browser, then()))));
    expect(live.filter((answer) => answer !== 401)).toHaveLength(3);
  });

  it('failed logins are counted together', async () => {
    const email = `${newName()}@example.com`;
    const tries = async (node: number, password: string): Promise<number> =>
      (await browserAt(node).auth('default', 'POST', 'login', { email, password })).status;
    for (let i = 0; i < 5; i += 1) expect(await tries(i % 2 === 0 ? first() : then(), 'wrong')).toBe(401);
    expect([await tries(first(), PASSWORD), await tries(then(), PASSWORD)]).toEqual([429, 429]);
  });

  it('what the application says of a user reaches the sessions and devices of both', async () => {
    const name = newName();
    const [one, two] = [browserAt(first()), browserAt(then())];
    for (const browser of [one, two]) await browser.login('default', name, true);
    expect(await service(then(), 'rolesChanged', name)).toEqual({ sessions: 2 });
    for (const browser of [one, two]) {
      await me(browser); // a gained role comes with a new token
      for (const node of [first(), then()]) expect(await me(move(browser, node))).toMatchObject({ roles: ['boss'] });
    }
    expect(await service(then(), 'credentialsChanged', name)).toEqual({ revokedSessions: 2 });
    for (const browser of [one, two]) expect(await me(move(browser, first()))).toBe(401);
  });

  it('an erasure leaves nothing of a user at either', async () => {
    const name = newName();
    for (const node of [first(), then()]) await browserAt(node).login('default', name, true);
    expect(await service(then(), 'eraseUser', name)).toMatchObject({ sessions: 2 });
    const left = (await service(first(), 'exportUser', name)) as { sessions: unknown[]; rememberedDevices: unknown[] };
    expect([left.sessions, left.rememberedDevices]).toEqual([[], []]);
  });
}
