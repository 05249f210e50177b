import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ALICE, CLIENT, SessionScene } from '../../test/fixtures/session-scene.js';
import type { SessionServices } from '../../test/fixtures/session-services.js';
import { digestOf } from '../crypto/session-token.js';
import { DEFAULT_SESSION_LIFETIME } from '../session/lifetime.options.js';
import { Session } from '../session/session.js';
import type { LiveSession } from './live-session.js';
import { LiveSessions } from './live-sessions.js';

const FOLLOWER = { ended: (): void => undefined };

describe('a session that is followed', () => {
  let scene: SessionScene;
  let services: SessionServices;
  let sessions: LiveSessions;

  beforeEach(() => {
    scene = new SessionScene();
    services = scene.services();
    const { reader, updates } = services;
    sessions = new LiveSessions(reader, updates, scene.clock, DEFAULT_SESSION_LIFETIME, scene.store.link());
  });
  afterEach(() => sessions.onApplicationShutdown());

  it('is read from the store again for whoever has let go of it, since nobody tells of its end any more', async () => {
    const { session, token } = await services.changes.create({
      user: ALICE,
      authentication: 'password',
      client: CLIENT,
      newDevice: false,
    });
    const live = sessions.follow(digestOf(token), FOLLOWER);
    live.adopt(Session.recordOf(session), live.heard);
    sessions.unfollow(live, FOLLOWER);
    expect((await sessions.load(live, {}))?.userId).toBe('alice');
    await services.ofUsers.revoke('alice', session.id, 'logout');
    expect(await sessions.load(live, {})).toBeUndefined();
  });

  it('is read again when every session has ended: one that began since stays', async () => {
    const ended: unknown[] = [];
    const follow = async (): Promise<LiveSession> => {
      const { session, token } = await services.changes.create({ user: ALICE, newDevice: false });
      const live = sessions.follow(digestOf(token), { ended: (reason) => void ended.push(reason) });
      live.adopt(Session.recordOf(session), live.heard);
      return live;
    };
    const before = [await follow(), await follow()];
    scene.now += 1;
    const since = await follow();
    await services.lifecycle.endSessionsBefore(new Date(scene.now));
    await new Promise((resolve) => setImmediate(resolve));
    expect(before.map(({ hasEnded }) => hasEnded)).toEqual([true, true]);
    expect([since.hasEnded, since.isDoubtful, ended]).toEqual([false, false, ['revoked', 'revoked']]);
    expect((await sessions.load(since, {}))?.userId).toBe('alice');
    await services.lifecycle.endEverySession();
    expect(await sessions.load(since, {})).toBeUndefined();
    expect(ended).toEqual(['revoked', 'revoked', 'revoked']);
  });

  it('is read again after all others have heard that every session has ended', async () => {
    const { session, token } = await services.changes.create({ user: ALICE, newDevice: false });
    const live = sessions.follow(digestOf(token), FOLLOWER);
    live.adopt(Session.recordOf(session), live.heard);
    const order: string[] = [];
    const find = scene.store.find.bind(scene.store);
    scene.store.find = (...args) => {
      order.push('read');
      return find(...args);
    };
    // as a near-cache, which drops its sessions when it hears of it
    scene.store.link().watch(() => order.push('heard'));
    await services.lifecycle.endEverySession();
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['heard', 'read']);
    expect(live.hasEnded).toBe(true);
  });
});
