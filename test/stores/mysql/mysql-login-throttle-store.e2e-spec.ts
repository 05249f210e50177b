import { expect, it } from '@jest/globals';
import { MysqlLoginThrottleStore } from 'nestjs-session-auth/mysql';
import { loginThrottleStoreContract } from 'nestjs-session-auth/testing';
import { describeOnMysql } from '../../support/mysql-variants.js';

const NOW = Date.UTC(2030, 0, 1);
const MINUTE = 60_000;

describeOnMysql('MysqlLoginThrottleStore', (name, { pool, database }) => {
  const empty = async (): Promise<void> => {
    await database().run('TRUNCATE session_auth_throttle');
  };

  loginThrottleStoreContract(name, async () => ({
    store: new MysqlLoginThrottleStore(pool(0)),
    another: async () => new MysqlLoginThrottleStore(pool(1)),
    close: empty,
  }));

  it('counts each of many parallel failures that share keys, with any order of the keys', async () => {
    const stores = [new MysqlLoginThrottleStore(pool(0)), new MysqlLoginThrottleStore(pool(1))];
    const keys = ['a', 'b', 'c', 'd'].map((counter) => ({ subject: 'shared', counter, window: MINUTE }));
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => stores[i % 2]!.add([...keys.slice(i % 4), ...keys.slice(0, i % 4)], NOW)),
    );
    expect(await stores[0]!.read(keys, NOW)).toEqual(keys.map(() => ({ count: 60, until: NOW + MINUTE })));
    await empty();
  });

  it('refuses a name that its column could not hold, and counts nothing', async () => {
    const store = new MysqlLoginThrottleStore(pool(0));
    const key = { subject: 'x'.repeat(255), counter: 'a' };
    await expect(store.add([{ ...key, window: MINUTE }], NOW)).rejects.toThrow('longer than 255 bytes');
    expect(await database().run('SELECT * FROM session_auth_throttle')).toEqual([]);
  });
});
