import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ALICE, CLIENT, SessionScene } from '../../test/fixtures/session-scene.js';
import type { SessionServices } from '../../test/fixtures/session-services.js';
import { digestOf } from '../crypto/session-token.js';
import { DEFAULT_SESSION_LIFETIME } from '../session/lifetime.options.js';
import { Session } from '../session/session.js';
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
});
