import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { realmToken, SessionAuthModule, SessionLifecycleService } from 'nestjs-session-auth';
import type { PackagedApp } from '../package/packaged-apps.js';
import { send } from '../support/bank-client.js';
import { PATIENCE } from '../support/patience.js';
import { Browser, cookieName, cookieNames, PASSWORD, roomOf } from '../support/realm-app.js';
import { installEarlier, openShared, SHARED_STORES, type SharedBackend } from './earlier-node.js';
import { AnybodyUsers, OPTIONS, startNode } from './node-app.js';
import { me, move as moveTo, newName, service as serviceAt, sideBySide } from './side-by-side.js';

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

let project: string;

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
    earlier = await backend.run(project);
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
  const move = (browser: Browser, node: NodeName): Browser => moveTo(browser, ports[node]);
  const service = async (node: NodeName, call: string, id: string): Promise<unknown> =>
    serviceAt(ports[node], call, id);
  /** Closes the browser and opens it again: the device is remembered. */
  const restart = (browser: Browser): boolean => browser.cookies.delete(cookieName('default'));

  it('a session of before the migrations lives on, and so does its remembered device', async () => {
    for (const node of ['plain', 'before', 'staffed', 'before'] as const) {
      expect(await me(move(fromBefore, node))).toMatchObject({ userId: 'early' });
      restart(fromBefore);
    }
  });

  it('a node of before can still be started', async () => {
    const another = await backend.run(project);
    const browser = new Browser(another.port, send);
    const { id } = await browser.login('default', newName());
    expect(await me(move(browser, 'plain'))).toMatchObject({ id });
    await another.stop();
  });

  describe.each(WAYS)('first %s, then %s', (first, then) => {
    sideBySide(() => [ports[first], ports[then]]);
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

    it('has its own limits and counts of failures', async () => {
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

    it('does not accept a cookie of staff', async () => {
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
