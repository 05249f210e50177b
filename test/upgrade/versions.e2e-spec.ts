import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { PackagedApp } from '../package/packaged-apps.js';
import { send } from '../support/bank-client.js';
import { PATIENCE } from '../support/patience.js';
import { Browser, cookieName } from '../support/realm-app.js';
import { ALL_SHARED_STORES, installEarlier, installNext, openShared, type SharedBackend } from './earlier-node.js';
import { startNode } from './node-app.js';
import { me, move, newName, service, sideBySide } from './side-by-side.js';

jest.setTimeout(PATIENCE);

let earlier: string;
let next: string;

beforeAll(async () => {
  [earlier, next] = [await installEarlier('before-versions'), await installNext()];
});

describe.each(ALL_SHARED_STORES)('a rolling deployment on one %s', (store) => {
  let backend: SharedBackend;
  let before: PackagedApp;
  let present: { readonly app: INestApplication; readonly port: number };
  let after: PackagedApp;
  const nodes: PackagedApp[] = [];
  const apps: INestApplication[] = [];
  let fromBefore: Browser;

  /** The versions of the stored sessions of a user, as the store says them. */
  const versionsOf = async (ids: readonly string[]): Promise<unknown[]> => {
    const { sql, namespace } = backend;
    if (sql !== undefined) {
      const rows = await sql(`SELECT handle, record_version AS version FROM session_auth_session`);
      return ids.map((id) => rows.find(({ handle }) => String(handle) === id)?.['version']);
    }
    const client = new Redis(process.env['TEST_REDIS_URL']!);
    try {
      const keys = await client.keys(`${namespace}*`);
      const values = await Promise.all(ids.map((id) => client.get(keys.find((key) => key.endsWith(`:s:${id}`))!)));
      return values.map((value) => Number(/\n"z":(\d+)/.exec(value!)?.[1] ?? 1));
    } finally {
      client.disconnect();
    }
  };
  const enter = async (port: number, name: string): Promise<Browser> => {
    const browser = new Browser(port, send);
    await browser.get(`/room/default/enter?remember=yes&id=${name}`);
    return browser;
  };
  const idOf = async (browser: Browser): Promise<string> => ((await me(browser)) as { id: string }).id;

  beforeAll(async () => {
    backend = await openShared(store);
    nodes.push((before = await backend.run(earlier)));
    fromBefore = await enter(before.port, 'early');
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    for (const app of apps) await app.close();
    await backend.close();
  });

  it('begins with the tables: a node does not start on those of before', async () => {
    if (backend.sql !== undefined) {
      const refused = startNode(await backend.storage(), {}, []);
      await expect(refused).rejects.toThrow(/UpgradeSessionAuthTables|upgrade\.sql/);
      await backend.upgrade();
      await backend.upgrade();
      expect(await me(fromBefore)).toMatchObject({ userId: 'early' });
    }
    present = await startNode(await backend.storage());
    apps.push(present.app);
    expect(await me(move(fromBefore, present.port))).toMatchObject({ userId: 'early' });
    expect(await me(move(fromBefore, before.port))).toMatchObject({ userId: 'early' });
  });

  describe('with nodes of before records had versions', () => {
    describe('first these, then this version', () => sideBySide(() => [before.port, present.port]));
    describe('first this version, then these', () => sideBySide(() => [present.port, before.port]));

    it('a record has the version of the latest node that has changed it', async () => {
      const name = newName();
      const [old, young] = [await enter(before.port, name), await enter(present.port, name)];
      const ids = [await idOf(old), await idOf(young)];
      expect(await versionsOf(ids)).toEqual([1, 2]);
      for (const [browser, port] of [
        [old, present.port],
        [young, before.port],
      ] as const) {
        await move(browser, port).get('/room/default/save?one=1');
      }
      expect(await versionsOf(ids)).toEqual([2, 2]);
    });
  });

  it('goes on with the tables of the next version, on which nodes of this one run and start', async () => {
    const { sql } = backend;
    if (sql !== undefined) {
      await expect(backend.run(next)).rejects.toThrow('they are of version 3');
      const column = store === 'mysql' ? 'of_next BIGINT NOT NULL DEFAULT 0' : `of_next text NOT NULL DEFAULT ''`;
      await sql(`ALTER TABLE session_auth_session ADD COLUMN ${column}`);
      await sql('INSERT INTO session_auth_version (version) VALUES (4)');
    }
    nodes.push((after = await backend.run(next)));
    await (await startNode(await backend.storage())).app.close();
    expect(await me(move(fromBefore, present.port))).toMatchObject({ userId: 'early' });
    expect(await me(move(fromBefore, after.port))).toMatchObject({ userId: 'early' });
  });

  describe('with nodes of the next version', () => {
    describe('first these, then this version', () => sideBySide(() => [after.port, present.port]));
    describe('first this version, then these', () => sideBySide(() => [present.port, after.port]));

    it('a record of the next version keeps all its fields when this version changes it', async () => {
      const name = newName();
      const browser = await enter(after.port, name);
      const id = await idOf(browser);
      move(browser, present.port);
      await browser.get('/room/default/save?one=1');
      await service(present.port, 'rolesChanged', name);
      await me(browser);
      expect(await versionsOf([id])).toEqual([3]);
      if (backend.namespace === undefined) return;
      const client = new Redis(process.env['TEST_REDIS_URL']!);
      const key = (await client.keys(`${backend.namespace}*:s:${id}`))[0]!;
      expect(await client.get(key)).toContain('\n"Z":"of the next version",');
      client.disconnect();
    });
  });

  it('leaves a record of a later version alone: 503, and nobody is signed out', async () => {
    const name = newName();
    const browser = await enter(present.port, name);
    const id = await idOf(browser);
    const age = async (version: number): Promise<void> => {
      if (backend.sql !== undefined) {
        const set = 'UPDATE session_auth_session SET record_version =';
        return void (await backend.sql(`${set} ${version} WHERE handle = '${id}'`));
      }
      const client = new Redis(process.env['TEST_REDIS_URL']!);
      const key = (await client.keys(`${backend.namespace}*:s:${id}`))[0]!;
      await client.set(key, (await client.get(key))!.replace(/\n"z":\d+/, `\n"z":${version}`), 'KEEPTTL');
      client.disconnect();
    };
    await age(4);
    for (const path of ['me', 'save?one=1']) {
      const answer = await browser.get(`/room/default/${path}`);
      expect(answer).toMatchObject({ status: 503, json: { code: 'session_store_unavailable' } });
    }
    await expect(service(present.port, 'rolesChanged', name)).rejects.toThrow('503');
    await expect(service(present.port, 'list', name)).rejects.toThrow('503');
    expect(await versionsOf([id])).toEqual([4]);
    await age(3);
    expect(await me(browser)).toMatchObject({ id, roles: ['customer'], data: {} });
    await age(4);
    expect(await service(present.port, 'revokeAll', name)).toEqual({ revoked: 1 });
    if (backend.sql !== undefined) expect(await versionsOf([id])).toEqual([undefined]);
  });

  it('leaves a remembered device of a later version alone as well, until the user wants it forgotten', async () => {
    const name = newName();
    const browser = await enter(present.port, name);
    const age = async (version: number): Promise<void> => {
      if (backend.sql !== undefined) {
        const handles = `WHERE user_id = '${name}'`;
        return void (await backend.sql(`UPDATE session_auth_remember_me SET record_version = ${version} ${handles}`));
      }
      const client = new Redis(process.env['TEST_REDIS_URL']!);
      for (const key of await client.keys(`${backend.namespace}*:r:*`)) {
        if ((await client.hget(key, 'u')) === name) await client.hset(key, 'z', version);
      }
      client.disconnect();
    };
    const restart = (): boolean => browser.cookies.delete(cookieName('default'));
    await age(4);
    restart();
    expect(await me(browser)).toBe(503);
    await age(3);
    expect(await me(browser)).toMatchObject({ userId: name });
    await age(4);
    await service(present.port, 'credentialsChanged', name);
    restart();
    expect(await me(browser)).toBe(401);
  });
});
