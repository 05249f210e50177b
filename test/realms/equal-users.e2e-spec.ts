import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Clock,
  ConcurrentSessionsService,
  realmToken,
  RememberMeService,
  SessionAuthService,
  SessionCleanupService,
  SessionEventPublisher,
  SessionLifecycleService,
  type SessionEvent,
} from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { openBackend, STORES, type Backend } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import { PASSWORD, REALMS, startRealms, type RealmApp, type RealmName } from '../support/realm-app.js';

const DAY = 24 * 60 * 60 * 1000;
const ALICE = { id: 'alice', email: 'alice@example.com', roles: [] };

describe.each(STORES)('the same user in three realms that share one storage, on %s', (store) => {
  let backend: Backend;
  let nodes: RealmApp[];
  let events: SessionEvent[];

  beforeEach(async () => {
    backend = await openBackend(store);
    const { storage } = backend;
    const limits = { default: { concurrency: 2 }, staff: { concurrency: 1 }, partner: { concurrency: 3 } };
    nodes = [];
    events = [];
    // memory is of one process
    for (let i = 0; i < (store === 'memory' ? 1 : 2); i += 1) {
      nodes.push(await startRealms('express', () => (store === 'memory' ? storage : backend.storage), limits));
    }
    for (const { app } of nodes) {
      for (const realm of REALMS) {
        const publisher = app.get<SessionEventPublisher>(realmToken(realm, SessionEventPublisher));
        publisher.subscribe((event) => void events.push(event));
      }
    }
  });
  afterEach(async () => {
    await closeApps();
    await backend.close();
  });

  function service<T extends object>(realm: RealmName, type: abstract new (...args: never[]) => T, node = 0): T {
    return nodes[node % nodes.length]!.app.get<T>(realmToken(realm, type));
  }

  const devicesOf = async (realm: RealmName): Promise<number> =>
    (await service(realm, RememberMeService).list('alice')).length;
  const countOf = async (realm: RealmName): Promise<number> =>
    (await service(realm, SessionLifecycleService).list('alice')).sessions.length;

  it('has a limit of its own in each, under parallel logins', async () => {
    const logins = Array.from({ length: 24 }, (_, i) =>
      signInAs(nodes[i % nodes.length]!.app, ALICE, { realm: REALMS[i % 3]! }),
    );
    const sessions = (await Promise.all(logins)).map(({ session }) => session);
    expect(sessions.map(({ realm }) => realm)).toEqual(Array.from({ length: 24 }, (_, i) => REALMS[i % 3]));
    expect(await Promise.all(REALMS.map(countOf))).toEqual([2, 1, 3]);
    for (const event of events.filter(({ type }) => type === 'session.created')) {
      const made = sessions.find(({ id }) => 'sessionId' in event && event.sessionId === id);
      expect(event.realm).toBe(made?.realm);
    }
  });

  it('is revoked, changed and told of in one only', async () => {
    for (const realm of REALMS) await signInAs(nodes[0]!.app, ALICE, { realm });
    events.splice(0);
    expect(await service('staff', SessionAuthService).credentialsChanged('alice')).toEqual({ revokedSessions: 1 });
    expect(await Promise.all(REALMS.map(countOf))).toEqual([1, 0, 1]);
    expect(events.map(({ type, realm }) => `${realm} ${type}`)).toEqual(['staff session.destroyed']);
    expect(await service('partner', SessionAuthService).rolesChanged('alice', ['boss'])).toEqual({ sessions: 1 });
    const [own] = (await service('default', SessionLifecycleService).list('alice')).sessions;
    expect(own!.roles).toEqual([]);
    expect(await service('default', SessionAuthService).accountDisabled('alice')).toEqual({ revokedSessions: 1 });
    expect(await Promise.all(REALMS.map(countOf))).toEqual([0, 0, 1]);
  });

  it('keeps the sessions of the others under parallel logins and revocations of one', async () => {
    const kept = await signInAs(nodes[0]!.app, ALICE, { realm: 'partner' });
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const realm = i % 2 === 0 ? 'default' : 'staff';
        await signInAs(nodes[i % nodes.length]!.app, ALICE, { realm });
        await service(realm, SessionLifecycleService, i + 1).revokeAll('alice');
        await service(realm, ConcurrentSessionsService, i).enforce(ALICE);
      }),
    );
    const { sessions } = await service('partner', SessionLifecycleService).list('alice');
    expect(sessions.map(({ id }) => id)).toEqual([kept.session.id]);
  });

  it('has remembered devices of its own in each, under parallel logins and revocations', async () => {
    const remember = async (realm: RealmName, i: number): Promise<string> =>
      (await service(realm, RememberMeService, i).issue('alice', `session-${realm}-${i}`)).token;
    const kept = await remember('partner', 0);
    await Promise.all(
      Array.from({ length: 18 }, async (_, i) => {
        const realm = i % 2 === 0 ? 'default' : 'staff';
        await remember(realm, i);
        if (realm === 'staff') await service(realm, RememberMeService, i + 1).revokeAll('alice');
      }),
    );
    await service('staff', RememberMeService).revokeAll('alice');
    expect(await Promise.all(REALMS.map(devicesOf))).toEqual([9, 0, 1]);
    const [device] = await service('partner', RememberMeService).list('alice');
    for (const realm of ['default', 'staff'] as const) {
      expect(await service(realm, RememberMeService).revoke('alice', device!.id)).toBe(false);
      expect(await service(realm, RememberMeService).signIn(kept)).toEqual({ status: 'refused' });
    }
    expect(await devicesOf('partner')).toBe(1);
  });

  it('is exported and erased in one only, while the others sign in', async () => {
    for (const realm of REALMS) {
      await signInAs(nodes[0]!.app, ALICE, { realm });
      await service(realm, RememberMeService).issue('alice', `session-${realm}`);
    }
    const erased = service('staff', SessionLifecycleService).eraseUser('alice', { audit: 'delete' });
    const others = Array.from({ length: 6 }, (_, i) => {
      const realm = i % 2 === 0 ? 'default' : 'partner';
      return signInAs(nodes[i % nodes.length]!.app, ALICE, { realm });
    });
    await Promise.all(others);
    expect(await erased).toMatchObject({ sessions: 1, rememberedDevices: 1 });
    const exported = await Promise.all(
      REALMS.map((realm) => service(realm, SessionLifecycleService).exportUser('alice')),
    );
    expect(exported.map(({ sessions }) => sessions.length)).toEqual([2, 0, 3]);
    expect(exported.map(({ rememberedDevices }) => rememberedDevices.length)).toEqual([1, 0, 1]);
    for (const [place, { auditRecords }] of exported.entries()) {
      const realms = (auditRecords as { realm: string; type: string }[]).map(({ realm }) => realm);
      expect(new Set(realms)).toEqual(new Set(store === 'postgres' && place !== 1 ? [REALMS[place]] : []));
    }
  });

  it('is swept by the cleanup of its own realm', async () => {
    for (const realm of REALMS) {
      await signInAs(nodes[0]!.app, ALICE, { realm });
      await service(realm, RememberMeService).issue('alice', `session-${realm}`);
    }
    events.splice(0);
    for (const node of [0, 1]) Object.assign(service('staff', Clock, node), { now: () => Date.now() + 400 * DAY });
    const reports = await Promise.all(nodes.map((_, node) => service('staff', SessionCleanupService, node).run()));
    const swept = reports.reduce((sum, { sessions }) => sum + sessions, 0);
    // what expires by itself in Redis is swept by nobody
    expect(swept).toBe(store === 'redis' ? 0 : 1);
    expect(events.map(({ realm, type }) => `${realm} ${type}`)).toEqual(swept === 0 ? [] : ['staff session.expired']);
    expect([await countOf('default'), await countOf('partner')]).toEqual([1, 1]);
    expect([await devicesOf('default'), await devicesOf('partner')]).toEqual([1, 1]);
  });
});

describe.each(STORES)('the same user who fails to log in to three realms on one storage, on %s', (store) => {
  afterEach(closeApps);

  it('is counted in each by itself, under parallel logins', async () => {
    const backend = await openBackend(store);
    try {
      const { storage } = backend;
      const throttled = { loginThrottle: {} };
      const settings = { default: throttled, staff: throttled, partner: throttled };
      const realms = await startRealms('express', () => storage, settings);
      const tryLogin = async (realm: RealmName, password: string): Promise<number> =>
        (await realms.browser().auth(realm, 'POST', 'login', { email: 'alice@example.com', password })).status;
      const failures = await Promise.all([
        ...Array.from({ length: 5 }, () => tryLogin('staff', 'wrong')),
        ...Array.from({ length: 4 }, () => tryLogin('partner', 'wrong')),
      ]);
      expect(failures).toEqual(failures.map(() => 401));
      expect(await Promise.all(REALMS.map((realm) => tryLogin(realm, PASSWORD)))).toEqual([200, 429, 200]);
      const counts = await Promise.all(
        REALMS.map(async (realm) => {
          const sessions = realms.app.get<SessionLifecycleService>(realmToken(realm, SessionLifecycleService));
          return (await sessions.exportUser('alice')).loginCounts.map(({ count }) => count);
        }),
      );
      expect(counts[1]).toContain(5);
      for (const own of [counts[0]!, counts[2]!]) expect(own).not.toContain(5);
    } finally {
      await closeApps();
      await backend.close();
    }
  });
});
