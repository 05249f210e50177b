import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication, Type } from '@nestjs/common';
import type { BankClient } from '../support/bank-client.js';
import { ADA, logIn, startExample, type ExampleApp } from '../support/example-app.js';

/** A step of the migration, as its file exports it. */
interface Step {
  readonly ShopModule: Type<object>;
  readonly configure?: (app: INestApplication) => void;
}

describe('the shop that is migrated step by step', () => {
  let running: ExampleApp;

  beforeAll(() => {
    // read when the example is imported
    process.env['REDIS_URL'] = process.env['TEST_REDIS_URL'];
  });
  afterEach(() => running.close());

  const steps: readonly { name: string; load: () => Promise<Step>; isProtected?: boolean }[] = [
    { name: 'before', load: () => import('../../examples/migrating/shop/before.js') },
    { name: 'beside', load: () => import('../../examples/migrating/shop/beside.js') },
    { name: 'on-passport', load: () => import('../../examples/migrating/shop/on-passport.js') },
    { name: 'after', load: () => import('../../examples/migrating/shop/after.js'), isProtected: true },
  ];

  const start = async (load: () => Promise<Step>): Promise<void> => {
    const { ShopModule, configure } = await load();
    running = await startExample(ShopModule, { set: configure });
  };

  it.each(steps)('boots, and sells: $name', async ({ load, isProtected = false }) => {
    await start(load);
    const ada = running.client();
    const csrf = isProtected ? undefined : false;
    const post = (path: string, body?: object): ReturnType<BankClient['post']> => ada.post(path, body, { csrf });
    expect([401, 403]).toContain((await ada.get('/cart')).status);

    const refused = await post('/login', { ...ADA, password: 'wrong' });
    expect([refused.status, refused.headers.location]).toEqual([302, '/login']);
    expect((await ada.get('/login')).json).toEqual({ messages: ['Wrong e-mail or password'] });
    expect((await ada.get('/login')).json).toEqual({ messages: [] });

    const before = ada.cookie;
    expect((await post('/login', ADA)).headers.location).toBe('/cart');
    expect(ada.cookie).not.toBe(before);
    await post('/cart', { item: 'a lamp' });
    await post('/cart', { item: 'a chair' });
    const cart = await ada.get('/cart');
    expect(cart.json).toEqual({ user: ADA.email, items: ['a lamp', 'a chair'] });
    expect(cart.headers['x-visitor']).toBe('1');

    const { cookie } = ada;
    expect((await post('/logout')).headers.location).toBe('/login');
    for (const left of [ada, running.client()]) {
      expect([401, 403]).toContain((await left.get('/cart', left === ada ? {} : { cookie })).status);
    }
  });

  it('has both libraries side by side, and nobody signed in to one by the other', async () => {
    await start(steps[1]!.load);
    const [old, young] = [running.client(), running.client()];
    await old.post('/login', ADA, { csrf: false });
    await logIn(young);
    const status = async (client: BankClient, path: string): Promise<number> => (await client.get(path)).status;
    expect([await status(old, '/cart'), await status(old, '/account')]).toEqual([200, 401]);
    expect([await status(young, '/cart'), await status(young, '/account')]).toEqual([403, 200]);
  });
});
