import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sessionServices } from '../../test/fixtures/session-services.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { MemorySessionStore } from '../storage/memory/memory-session-store.js';
import type { RememberedDevices } from './remembered-devices.js';
import type { SessionLifecycleService } from './session-lifecycle.service.js';

const NOW = Date.UTC(2026, 0, 1);
const ALICE = { id: 'alice' };

describe('ending the sessions of a user', () => {
  let store: MemorySessionStore;
  let lifecycle: SessionLifecycleService;
  let forgotten: unknown[][];
  /** Runs while devices are being forgotten, and returns how many there were. */
  let whileForgetting: () => Promise<number>;

  beforeEach(() => {
    const clock = { now: () => NOW };
    store = new MemorySessionStore();
    forgotten = [];
    whileForgetting = () => Promise.resolve(0);
    const devices: RememberedDevices = {
      tokenStore: undefined,
      forgetEvery: () => Promise.resolve(),
      forgetSession: async (...args) => {
        forgotten.push(args);
        return whileForgetting();
      },
      forgetOthers: async (...args) => {
        forgotten.push(args);
        return whileForgetting();
      },
    };
    const events = new SessionEventPublisher(clock, { record: () => undefined });
    const limit = { max: Infinity, onLimit: 'reject' as const };
    ({ lifecycle } = sessionServices({ store, clock, events, limit, devices }));
  });

  it('forgets the devices that they were signed in from', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    const { session: kept } = await lifecycle.create({ user: ALICE });
    expect(await lifecycle.revoke('alice', session.id)).toBe(true);
    expect(await lifecycle.revokeOthers('alice', kept.id)).toBe(0);
    expect(await lifecycle.revokeAll('alice')).toBe(1);
    expect(forgotten).toEqual([
      ['alice', session.id],
      ['alice', kept.id],
      ['alice', undefined],
    ]);
  });

  it('finds those of one session at the identity provider on whatever page they are', async () => {
    const upstream = { sid: 'sid' };
    const { session: oldest } = await lifecycle.create({ user: ALICE, upstream });
    for (let i = 0; i < 2001; i += 1) await lifecycle.create({ user: ALICE });
    const { session: newest } = await lifecycle.create({ user: ALICE, upstream });
    expect(await lifecycle.revokeUpstream('alice', upstream)).toBe(2);
    expect(forgotten.map(([, id]) => id).sort()).toEqual([oldest.id, newest.id].sort());
    expect(store.size).toBe(2001);
  });

  it('ends a session that a device made of its token just before it was forgotten', async () => {
    await lifecycle.create({ user: ALICE });
    whileForgetting = async () => {
      // after the existing sessions have ended
      await new Promise((resolve) => setImmediate(resolve));
      await lifecycle.create({ user: ALICE });
      return 1;
    };
    expect(await lifecycle.revokeAll('alice')).toBe(2);
    expect((await lifecycle.list('alice')).sessions).toEqual([]);
  });

  it('looks once only where no device was forgotten', async () => {
    const sweeps = jest.spyOn(store, 'deleteByUser');
    await lifecycle.revokeAll('alice');
    expect(sweeps).toHaveBeenCalledTimes(1);
  });

  it('leaves the devices alone where one session at hand ends, and takes one call', async () => {
    const calls = [jest.spyOn(store, 'find'), jest.spyOn(store, 'deleteByHandle'), jest.spyOn(store, 'deleteByUser')];
    const byDigest = jest.spyOn(store, 'delete');
    for (const { session } of [await lifecycle.create({}), await lifecycle.create({ user: ALICE })]) {
      expect(await lifecycle.destroySession(session, 'logout')).toBe(true);
      expect(await lifecycle.destroySession(session, 'logout')).toBe(false);
    }
    expect(byDigest).toHaveBeenCalledTimes(4);
    for (const call of calls) expect(call).not.toHaveBeenCalled();
    expect(forgotten).toEqual([]);
  });
});
