import { beforeEach, describe, expect, it } from '@jest/globals';
import { ALICE, CLIENT, SessionScene, START } from '../../test/fixtures/session-scene.js';
import { MemorySessionStore } from '../storage/memory/memory-session-store.js';
import type { RememberedDevices } from './remembered-devices.js';
import type { SessionLifecycleService } from './session-lifecycle.service.js';

/** A store that cannot end the sessions of a realm. */
class PlainStore extends MemorySessionStore {
  constructor() {
    super();
    Object.assign(this, { deleteByRealm: undefined });
  }
}

describe('ending the sessions of a realm', () => {
  let scene: SessionScene;
  let steps: string[];
  let tokenStore: object | undefined;
  let failure: Error | undefined;
  let lifecycle: SessionLifecycleService;

  /** Notes the order of steps. */
  class NotingStore extends MemorySessionStore {
    override async deleteByRealm(...[which]: Parameters<MemorySessionStore['deleteByRealm']>): Promise<void> {
      steps.push(`sessions ${which.createdBefore ?? 'all'} ${which.reason}`);
      if (failure !== undefined) throw failure;
      await super.deleteByRealm(which);
    }
  }

  const devices = (): RememberedDevices => ({
    tokenStore,
    forgetSession: () => Promise.resolve(0),
    forgetOthers: () => Promise.resolve(0),
    forgetEvery: (before) => {
      steps.push(`devices ${before ?? 'all'}`);
      return Promise.resolve();
    },
  });

  const services = (store: MemorySessionStore): SessionLifecycleService =>
    scene.services({ store, devices: devices() }).lifecycle;

  beforeEach(() => {
    scene = new SessionScene();
    steps = [];
    failure = undefined;
    tokenStore = { deleteByRealm: () => undefined };
    lifecycle = services(new NotingStore());
  });

  it('ends devices first, so that none signs in between, and is one event', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    scene.events();
    await lifecycle.endEverySession({}, CLIENT);
    expect(steps).toEqual(['devices all', 'sessions all revoked']);
    expect(scene.events()).toEqual([
      { type: 'session.all_ended', realm: 'default', at: new Date(START), keepDevices: false, client: CLIENT },
    ]);
    expect(await lifecycle.find(token)).toBeUndefined();
  });

  it('keeps devices if asked to, also with a store of theirs that cannot', async () => {
    tokenStore = {};
    await lifecycle.endEverySession({ keepDevices: true });
    expect(steps).toEqual(['sessions all revoked']);
    expect(scene.events()).toMatchObject([{ keepDevices: true }]);
  });

  it('ends those from before a date, and says so', async () => {
    const date = new Date(START - 1);
    await lifecycle.endSessionsBefore(date);
    expect(steps).toEqual([`devices ${+date}`, `sessions ${+date} revoked`]);
    expect(scene.events()).toMatchObject([{ type: 'session.all_ended', createdBefore: date, keepDevices: false }]);
  });

  it.each([
    ['in the future', new Date(START + 1), new Date(START + 1).toISOString()],
    ['that is none', new Date(NaN), 'no valid date'],
    ['of another type', '2020-01-01' as unknown as Date, 'no valid date'],
  ])('refuses a date %s', async (_what, date, given) => {
    await expect(lifecycle.endSessionsBefore(date)).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: `endSessionsBefore: given ${given}; allowed is a Date that is not in the future`,
    });
    expect([steps, scene.events()]).toEqual([[], []]);
  });

  it('names a store that cannot, and ends nothing', async () => {
    const plain = services(new PlainStore());
    await expect(plain.endEverySession()).rejects.toMatchObject({
      code: 'not_configured',
      message: expect.stringMatching(/realm 'default': storage\.sessions: PlainStore has no deleteByRealm/) as unknown,
    });
    class PlainTokens {}
    tokenStore = new PlainTokens();
    await expect(services(new NotingStore()).endSessionsBefore(new Date(0))).rejects.toMatchObject({
      code: 'not_configured',
      message: expect.stringMatching(/storage\.rememberMe: PlainTokens has no deleteByRealm/) as unknown,
    });
    expect([steps, scene.events()]).toEqual([[], []]);
  });

  it('ends sessions alone where no device is remembered', async () => {
    tokenStore = undefined;
    await services(new NotingStore()).endEverySession();
    expect(steps).toEqual(['sessions all revoked']);
  });

  it('is no event when the store fails, and may be repeated', async () => {
    failure = new Error('down');
    await expect(lifecycle.endEverySession()).rejects.toMatchObject({ code: 'session_store_unavailable' });
    expect(scene.events()).toEqual([]);
    failure = undefined;
    await lifecycle.endEverySession();
    expect(scene.events()).toHaveLength(1);
  });
});
