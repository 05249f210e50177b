import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConcurrentSessionsService, type SessionAuthOptions, type SessionUser } from 'nestjs-session-auth';
import type { BankClient } from '../support/bank-client.js';
import { ON_EVERY_STACK, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

describe.each(ON_EVERY_STACK)('the limit of sessions on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank | undefined;

  beforeEach(async () => {
    backend = await openBackend(store);
  });

  afterEach(async () => {
    await bank?.close();
    await backend.close();
  });

  const open = async (concurrency: SessionAuthOptions['concurrency']): Promise<Bank> =>
    (bank = await startBank({ adapter, backend, options: { concurrency } }));

  /** Logs a user in on new devices, a second apart. */
  async function logIn(node: Bank, name: string, count: number): Promise<BankClient[]> {
    const devices: BankClient[] = [];
    for (let i = 0; i < count; i += 1) {
      const device = node.client();
      await device.login(name);
      devices.push(device);
      node.clock.advance(1000);
    }
    return devices;
  }

  const signedIn = (devices: readonly BankClient[]): Promise<boolean[]> =>
    Promise.all(devices.map((device) => device.isSignedIn()));

  it('ends the least recently used under evict-least-recent', async () => {
    const node = await open({ max: 3, onLimit: 'evict-least-recent' });
    const devices = await logIn(node, 'alice', 3);
    node.clock.advance(120_000);
    expect(await devices[0]!.isSignedIn()).toBe(true);
    devices.push(...(await logIn(node, 'alice', 1)));
    expect(await signedIn(devices)).toEqual([true, false, true, true]);
  });

  it('refuses the login under reject, with its own code and without a cookie, until a session ends', async () => {
    const node = await open({ max: 2, onLimit: 'reject' });
    const [first, second] = await logIn(node, 'alice', 2);
    const third = node.client();
    const answer = await third.tryLogin('alice');
    expect(answer.json).toMatchObject({ statusCode: 409, code: 'session_limit_reached' });
    expect(third.sealed).toBe('');
    expect(await signedIn([first!, second!])).toEqual([true, true]);
    // whoever is in already is not over the limit by logging in again
    await first!.login('alice');
    await second!.post('/auth/logout');
    await third.login('alice');
    expect(await signedIn([first!, third])).toEqual([true, true]);
  });

  it('asks a function of the user, which may answer a policy as well', async () => {
    const node = await open(({ roles }: SessionUser) =>
      roles?.includes('admin') === true ? { max: 1, onLimit: 'reject' as const } : 2,
    );
    expect(await signedIn(await logIn(node, 'alice', 3))).toEqual([false, true, true]);
    await logIn(node, 'admin', 1);
    expect((await node.client().tryLogin('admin')).status).toBe(409);
  });

  it('is enforced on who has more when it is lowered', async () => {
    let max = 5;
    const node = await open({ max: () => max });
    const devices = await logIn(node, 'alice', 5);
    max = 2;
    expect(await node.app.get(ConcurrentSessionsService).enforce({ id: 'alice' })).toBe(3);
    expect(await signedIn(devices)).toEqual([false, false, false, true, true]);
    expect(await node.app.get(ConcurrentSessionsService).count('alice')).toBe(2);
  });

  it('does not exist with Infinity', async () => {
    const node = await open(Infinity);
    expect(await signedIn(await logIn(node, 'alice', 8))).toEqual(Array.from({ length: 8 }, () => true));
  });
});
