import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ConcurrentSessionsService,
  realmToken,
  SessionAuthService,
  SessionCleanupService,
  SessionEventPublisher,
  SessionLifecycleService,
  type SessionEvent,
} from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { openBackend, STORES, type Backend } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import { REALMS, startRealms, type RealmApp, type RealmName } from '../support/realm-app.js';

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
    for (const realm of REALMS) service(realm, SessionEventPublisher).subscribe((event) => void events.push(event));
  });
  afterEach(async () => {
    await closeApps();
    await backend.close();
  });

  function service<T extends object>(realm: RealmName, type: abstract new (...args: never[]) => T, node = 0): T {
    return nodes[node % nodes.length]!.app.get<T>(realmToken(realm, type));
  }

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

  it('is swept by the cleanup of its own realm', async () => {
    for (const realm of REALMS) await signInAs(nodes[0]!.app, ALICE, { realm });
    const report = await service('staff', SessionCleanupService).run();
    expect(report).toMatchObject({ ran: true, sessions: 0 });
    expect(await Promise.all(REALMS.map(countOf))).toEqual([1, 1, 1]);
  });
});
