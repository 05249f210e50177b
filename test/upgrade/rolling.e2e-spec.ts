import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { realmToken, SessionAuthModule, SessionLifecycleService } from 'nestjs-session-auth';
import type { PackagedApp } from '../package/packaged-apps.js';
import { send } from '../support/bank-client.js';
import { PATIENCE } from '../support/patience.js';
import { Browser, cookieName, cookieNames, PASSWORD, roomOf } from '../support/realm-app.js';
import { installEarlier, openShared, SHARED_STORES, type SharedBackend } from './earlier-node.js';
import { AnybodyUsers, OPTIONS, startNode } from './node-app.js';

jest.setTimeout(PATIENCE);

/** A node of before, one of this version with the default realm alone, and one that has the realm `staff` as well. */
type NodeName = 'before' | 'plain' | 'staffed';

/** In which order nodes are asked. */
const WAYS: readonly (readonly [NodeName, NodeName])[] = [
  ['before', 'plain'],
  ['plain', 'before'],
  ['before', 'staffed'],
  ['staffed', 'before'],
];
const REMEMBER = `${cookieName('default')}-remember`;

let project: string;
let users = 0;

/** A name that no other test uses. */
const newName = (): string => `user${(users += 1)}`;

beforeAll(async () => {
  project = await installEarlier('before-realms');
});

describe.each(SHARED_STORES)('nodes of before realms and of this version, on one %s', (store) => {
  let backend: SharedBackend;
  let earlier: PackagedApp;
  const apps: INestApplication[] = [];
  const ports = {} as Record<NodeName, number>;
  let fromBefore: Browser;

  beforeAll(async () => {
    backend = await openShared(store);
    earlier = await backend.runEarlier(project);
    ports.before = earlier.port;
    fromBefore = browserAt('before');
    await fromBefore.login('default', 'early', true);
    // the migrations come first, while nodes of before run
    if (store === 'postgres')
      await expect(startNode(await backend.storage(), {}, [])).rejects.toThrow(/UpgradeSessionAuthTables/);
    await backend.upgrade();
    const storage = await backend.storage();
    const staff = SessionAuthModule.forRoot({ ...OPTIONS, realm: 'staff', storage, users: { useClass: AnybodyUsers } });
    const plain = await startNode(await backend.storage());
    const staffed = await startNode(storage, { imports: [staff], controllers: [roomOf('staff')] });
    ports.plain = plain.port;
    ports.staffed = staffed.port;
    apps.push(plain.app, staffed.app);
  });
  afterAll(async () => {
    for (const app of apps) await app.close();
    await earlier.stop();
    await backend.close();
  });

  const browserAt = (node: NodeName): Browser => new Browser(ports[node], send);
  const move = (browser: Browser, node: NodeName): Browser => Object.assign(browser, { port: ports[node] });
  const me = async (browser: Browser, realm: 'default' | 'staff' = 'default'): Promise<unknown> => {
    const { status, json } = await browser.get(`/room/${realm}/me`);
    return status === 200 ? json : status;
  };
  const service = async (node: NodeName, call: string, id: string): Promise<unknown> => {
    const { status, json, text } = await send(ports[node], 'GET', `/services/${call}?id=${encodeURIComponent(id)}`);
    if (status !== 200) throw new Error(`${call} at ${node}: ${status} ${text}`);
    return json;
  };
  /** Closes the browser and opens it again: the device is remembered. */
  const restart = (browser: Browser): boolean => browser.cookies.delete(cookieName('default'));

  it('a session of before the migrations lives on, and so does its remembered device', async () => {
    for (const node of ['plain', 'before', 'staffed', 'before'] as const) {
      expect(await me(move(fromBefore, node))).toMatchObject({ userId: 'early' });
      restart(fromBefore);
    }
  });

  it('a node of before can still be started', async () => {
    const another = await backend.runEarlier(project);
    const browser = new Browser(another.port, send);
    const { id } = await browser.login('default', newName());
    expect(await me(move(browser, 'plain'))).toMatchObject({ id });
    await another.stop();
  });

  describe.each(WAYS)('first %s, then %s', (first, then) => {
    it('a session is one, with its data', async () => {
      const name = newName();
      const browser = browserAt(first);
      const { id } = await browser.login('default', name);
      expect(await me(move(browser, then))).toEqual({ id, userId: name, roles: ['customer'], data: {} });
      await browser.get('/room/default/save?one=1');
      await move(browser, first).get('/room/default/save?two=2');
      for (const node of [then, first]) {
        expect(await me(move(browser, node))).toMatchObject({ id, data: { one: '1', two: '2' } });
      }
    });

    it('tokens are replaced by either, and one of a moment ago still passes', async () => {
      const name = newName();
      const browser = browserAt(first);
      const { id } = await browser.login('default', name);
      const cookies = new Set<string>();
      for (let i = 0; i < 8; i += 1) {
        const cookie = `${cookieName('default')}=${browser.cookies.get(cookieName('default'))!}`;
        cookies.add(cookie);
        expect(await me(move(browser, i % 2 === 0 ? then : first))).toMatchObject({ id, userId: name });
        const again = [first, then, first, then].map((node) =>
          send(ports[node], 'GET', '/room/default/me', { cookie }),
        );
        for (const { status } of await Promise.all(again)) expect(status).toBe(200);
      }
      expect(cookies.size).toBeGreaterThan(3);
    });

    it('a logout at one is one at the other', async () => {
      const browser = browserAt(first);
      await browser.login('default', newName(), true);
      const cookies = new Map(browser.cookies);
      expect((await move(browser, then).auth('default', 'POST', 'logout')).status).toBe(204);
      for (const [cookie, value] of cookies) browser.cookies.set(cookie, value);
      for (const node of [first, then]) expect(await me(move(browser, node))).toBe(401);
    });

    it('a user sees the sessions of both, and ends them', async () => {
      const name = newName();
      const [one, two, three] = [browserAt(first), browserAt(then), browserAt(first)];
      const ids = [];
      for (const browser of [one, two, three]) ids.push((await browser.login('default', name)).id);
      for (const node of [first, then]) {
        const list = (await move(one, node).get('/auth/sessions')).json as { id: string; current: boolean }[];
        expect(list.map(({ id }) => id).sort()).toEqual([...ids].sort());
        expect(list.filter(({ current }) => current).map(({ id }) => id)).toEqual([ids[0]]);
      }
      expect((await move(one, then).auth('default', 'DELETE', `sessions/${ids[2]!}`)).status).toBe(204);
      expect(await me(three)).toBe(401);
      expect(await one.auth('default', 'DELETE', 'sessions')).toMatchObject({ status: 200, json: { revoked: 1 } });
      expect([await me(move(two, first)), await me(move(two, then))]).toEqual([401, 401]);
      expect(await me(move(one, first))).toMatchObject({ id: ids[0] });
    });

    it('a remembered device is signed in by either, and forgotten by both', async () => {
      const name = newName();
      const browser = browserAt(first);
      await browser.login('default', name, true);
      const used = new Set<string>();
      for (const node of [then, first, then]) {
        restart(browser);
        used.add(browser.cookies.get(REMEMBER)!);
        expect(await me(move(browser, node))).toMatchObject({ userId: name });
      }
      expect(used.size).toBe(3);
      const token = browser.cookies.get(REMEMBER)!;
      await move(browser, first).auth('default', 'POST', 'logout');
      browser.cookies.set(REMEMBER, token);
      expect(await me(move(browser, then))).toBe(401);
    });

    it('CSRF tokens of one pass at the other, before the login and behind it', async () => {
      const name = newName();
      const browser = browserAt(first);
      const ofForm = await browser.csrf('default');
      const body = { email: `${name}@example.com`, password: PASSWORD };
      expect((await move(browser, then).ask('POST', '/auth/login', { csrf: ofForm, body })).status).toBe(200);
      const csrf = await browser.csrf('default');
      const act = await move(browser, first).ask('POST', '/room/default/act', { csrf });
      expect(act).toMatchObject({ status: 201, json: { by: name } });
      const refused = await move(browser, then).ask('POST', '/room/default/act', { csrf: ofForm });
      expect(refused.status).toBe(403);
    });

    it('a limit holds for both together, under parallel logins', async () => {
      const name = newName();
      const browsers = Array.from({ length: 12 }, (_, i) => browserAt(i % 2 === 0 ? first : then));
      await Promise.all(browsers.map(async (browser) => browser.get(`/room/default/enter?id=${name}`)));
      const lists = [await service(first, 'list', name), await service(then, 'list', name)];
      expect(lists[0]).toHaveLength(3);
      expect(lists[1]).toEqual(lists[0]);
      const live = await Promise.all(browsers.map(async (browser) => me(move(browser, then))));
      expect(live.filter((answer) => answer !== 401)).toHaveLength(3);
    });

    it('failed logins are counted together', async () => {
      const email = `${newName()}@example.com`;
      const tries = async (node: NodeName, password: string): Promise<number> =>
        (await browserAt(node).auth('default', 'POST', 'login', { email, password })).status;
      for (let i = 0; i < 5; i += 1) expect(await tries(i % 2 === 0 ? first : then, 'wrong')).toBe(401);
      expect([await tries(first, PASSWORD), await tries(then, PASSWORD)]).toEqual([429, 429]);
    });

    it('what the application says of a user reaches the sessions and devices of both', async () => {
      const name = newName();
      const [one, two] = [browserAt(first), browserAt(then)];
      for (const browser of [one, two]) await browser.login('default', name, true);
      expect(await service(then, 'rolesChanged', name)).toEqual({ sessions: 2 });
      for (const browser of [one, two]) {
        await me(browser); // a gained role comes with a new token
        for (const node of [first, then]) expect(await me(move(browser, node))).toMatchObject({ roles: ['boss'] });
      }
      expect(await service(then, 'credentialsChanged', name)).toEqual({ revokedSessions: 2 });
      for (const browser of [one, two]) expect(await me(move(browser, first))).toBe(401);
    });

    it('an erasure leaves nothing of a user at either', async () => {
      const name = newName();
      for (const node of [first, then]) await browserAt(node).login('default', name, true);
      expect(await service(then, 'eraseUser', name)).toMatchObject({ sessions: 2 });
      const left = (await service(first, 'exportUser', name)) as { sessions: unknown[]; rememberedDevices: unknown[] };
      expect([left.sessions, left.rememberedDevices]).toEqual([[], []]);
    });
  });

  describe('a node of before, beside the realm staff', () => {
    /** Ids of the default realm: the same as staff's, and such as staff's could be stored as. */
    const idsLike = (name: string): string[] => [name, `@staff:${name}`, `\u001a@staff:${name}`, `staff:${name}`];
    const enter = async (browser: Browser, id: string): Promise<Browser> => {
      await browser.get(`/room/default/enter?remember=yes&id=${encodeURIComponent(id)}`);
      return browser;
    };

    it.each(['revokeAll', 'credentialsChanged', 'accountDisabled', 'rolesChanged', 'eraseUser', 'cleanup'])(
      'reaches no session and no device of staff by %s',
      async (call) => {
        const name = newName();
        const staff = browserAt('staffed');
        const { id } = await staff.login('staff', name, true);
        for (const each of idsLike(name)) {
          await enter(browserAt('before'), each);
          expect(await service('before', 'list', each)).toHaveLength(1);
          await service('before', call, each);
        }
        expect(await me(staff, 'staff')).toMatchObject({ realm: 'staff', userId: name, roles: ['customer'] });
        const sessions = apps[1]!.get<SessionLifecycleService>(realmToken('staff', SessionLifecycleService));
        expect((await sessions.list(name)).sessions.map((session) => session.id)).toEqual([id]);
        staff.cookies.delete(cookieName('staff'));
        expect(await me(staff, 'staff')).toMatchObject({ realm: 'staff', userId: name });
      },
    );

    it('has limits and counts of failures of its own', async () => {
      const name = newName();
      const own = await Promise.all(
        Array.from({ length: 6 }, async (_, i) => {
          const browser = browserAt(i % 2 === 0 ? 'before' : 'staffed');
          if (i % 2 === 0) await enter(browser, name);
          else await browser.login('staff', name);
          return me(browser, i % 2 === 0 ? 'default' : 'staff');
        }),
      );
      expect(own).toEqual(own.map(() => expect.objectContaining({ userId: name })));
      const wrong = { email: `${name}@example.com`, password: 'wrong' };
      for (let i = 0; i < 5; i += 1) await browserAt('staffed').auth('staff', 'POST', 'login', wrong);
      const right = { ...wrong, password: PASSWORD };
      expect((await browserAt('staffed').auth('staff', 'POST', 'login', right)).status).toBe(429);
      expect((await browserAt('before').auth('default', 'POST', 'login', right)).status).toBe(200);
    });

    it('takes no cookie of staff for one of its own', async () => {
      const staff = browserAt('staffed');
      await staff.csrf('staff');
      const form = staff.cookies.get(`${cookieName('staff')}-csrf`)!;
      await staff.login('staff', newName(), true);
      staff.cookies.set(`${cookieName('staff')}-csrf`, form);
      const own = cookieNames('default');
      for (const [place, name] of cookieNames('staff').entries()) {
        const browser = browserAt('before');
        browser.cookies.set(own[place]!, staff.cookies.get(name)!);
        expect(await me(browser)).toBe(401);
      }
      expect(await me(staff, 'staff')).toMatchObject({ realm: 'staff' });
    });

    it('is why a second realm waits: on PostgreSQL it erases audit rows of staff, and sweeps what has expired', async () => {
      const { dataSource } = backend;
      if (dataSource === undefined) return;
      const name = newName();
      const { id } = await browserAt('staffed').login('staff', name);
      const sessions = apps[1]!.get<SessionLifecycleService>(realmToken('staff', SessionLifecycleService));
      expect((await sessions.exportUser(name)).auditRecords).not.toEqual([]);
      expect(await service('before', 'eraseUser', name)).toMatchObject({ sessions: 0, rememberedDevices: 0 });
      expect((await sessions.exportUser(name)).auditRecords).toEqual([]);
      expect((await sessions.list(name)).sessions.map((session) => session.id)).toEqual([id]);
      const table = 'session_auth_session WHERE handle = $1';
      const expired = 'UPDATE session_auth_session SET expires_at = 0, sweep_at = 0 WHERE handle = $1';
      await dataSource.query(expired, [`@staff:${id}`]);
      expect(await service('before', 'cleanup', name)).toMatchObject({ ran: true, sessions: 1 });
      expect(await dataSource.query(`SELECT FROM ${table}`, [`@staff:${id}`])).toEqual([]);
    });

    it('is not reached by the services of staff', async () => {
      const name = newName();
      const browser = await enter(browserAt('before'), name);
      await browserAt('staffed').login('staff', name);
      const sessions = apps[1]!.get<SessionLifecycleService>(realmToken('staff', SessionLifecycleService));
      expect(await sessions.eraseUser(name)).toMatchObject({ sessions: 1, rememberedDevices: 0 });
      expect(await me(browser)).toMatchObject({ userId: name });
    });
  });
});
