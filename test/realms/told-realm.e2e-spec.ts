import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { realmToken, SessionEventPublisher, type SessionEvent } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { SERVERS } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import { authPath, cookieName, PASSWORD, REALMS, startRealms, type RealmApp } from '../support/realm-app.js';

describe.each(SERVERS)('the realm, on %s,', (adapter) => {
  let realms: RealmApp;
  let events: SessionEvent[];

  beforeAll(async () => {
    realms = await startRealms(adapter, () => 'memory', { staff: { csrf: { header: 'x-staff' } } });
    events = [];
    for (const realm of REALMS) {
      const publisher = realms.app.get<SessionEventPublisher>(realmToken(realm, SessionEventPublisher));
      publisher.subscribe((event) => void events.push(event));
    }
  });
  afterAll(closeApps);

  it.each(REALMS)('is in the event and in the body of each refusal of %s', async (realm) => {
    const browser = realms.browser();
    const auth = authPath(realm);
    const ask = (path: string, password: string, csrf?: string): ReturnType<typeof browser.ask> => {
      const headers = csrf === undefined ? {} : { [realm === 'staff' ? 'x-staff' : 'x-csrf-token']: csrf };
      return browser.ask('POST', `${auth}/${path}`, { body: { email: 'alice@example.com', password }, headers });
    };
    events.splice(0);
    const session = await browser.get(`${auth}/session`);
    const forged = await ask('login', PASSWORD);
    const failed = await ask('login', 'wrong', await browser.csrf(realm));
    const invalid = await ask('login', '', await browser.csrf(realm));
    expect([session, forged, failed, invalid].map(({ status, json }) => [status, json])).toEqual(
      Object.entries({ session_required: 401, csrf_failed: 403, invalid_credentials: 401, invalid_request: 400 }).map(
        ([code, statusCode]) => [statusCode, { statusCode, code, message: expect.any(String), realm }],
      ),
    );
    const login = await ask('login', PASSWORD, await browser.csrf(realm));
    expect([login.status, (login.json as { session: object }).session]).toEqual([
      200,
      expect.objectContaining({ realm }),
    ]);
    expect((await ask('logout', '', await browser.csrf(realm))).status).toBe(204);
    const told = events.map((event) => [event.type, event.realm]);
    for (const type of ['csrf.rejected', 'login.failed', 'session.created', 'session.destroyed']) {
      expect(told).toContainEqual([type, realm]);
    }
    expect(told.filter(([, of]) => of !== realm)).toEqual([]);
  });

  it.each(REALMS)('is that of the session which signInAs makes for %s, by its login name', async (realm) => {
    const { cookie, headers, session } = await signInAs(realms.app, 'alice@example.com', { realm });
    expect(session).toMatchObject({ realm, userId: 'alice', roles: [realm] });
    expect(cookie).toMatch(new RegExp(`^${cookieName(realm)}=[\\w-]+$`));
    expect(Object.keys(headers)).toEqual(['cookie', realm === 'staff' ? 'x-staff' : 'x-csrf-token']);
    const me = await realms.browser().get(`/room/${realm}/me`, { headers });
    expect(me.json).toEqual({ realm, userId: 'alice', roles: [realm] });
    const act = await realms.browser().ask('POST', `/room/${realm}/act`, { headers });
    expect([act.status, act.json]).toEqual([201, { by: realm }]);
    for (const other of REALMS.filter((each) => each !== realm)) {
      expect((await realms.browser().get(`/room/${other}/me`, { headers })).status).toBe(401);
    }
  });

  it('of signInAs is the default one, and has to be there', async () => {
    expect((await signInAs(realms.app, 'alice@example.com')).session.realm).toBe('default');
    await expect(signInAs(realms.app, 'alice@example.com', { realm: 'guests' })).rejects.toThrow("realm 'guests'");
    const misnamed = signInAs(realms.app, 'alice@example.com', { realm: 'No name' });
    await expect(misnamed).rejects.toMatchObject({ code: 'invalid_configuration' });
  });
});
