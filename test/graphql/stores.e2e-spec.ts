import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionAuthService, SessionLifecycleService } from 'nestjs-session-auth';
import { signInAs, type SignInAsOptions } from 'nestjs-session-auth/testing';
import { openBackend, type Backend } from '../support/bank.js';
import { send } from '../support/bank-client.js';
import { closeApps } from '../support/door-app.js';
import { GraphApp, type GraphName } from '../support/graphql-app.js';
import { ran } from '../support/graphql-doors.js';

const GRAPHS: GraphName[] = ['Apollo on Express', 'Apollo on Fastify with { req, reply }', 'Mercurius'];
const EVERY = GRAPHS.flatMap((graph) => (['redis', 'postgres'] as const).map((store) => ({ graph, store })));
const BOSS = { id: 'alice', email: 'alice@example.com', roles: ['boss'] };
const DAY = 24 * 60 * 60_000;

/** A session that all guards let pass, and one that each refuses, with the reason. */
const SESSIONS: [door: string, user: typeof BOSS, options: SignInAsOptions, reason: string][] = [
  ['roles', { ...BOSS, roles: [] }, {}, 'forbidden'],
  ['recent', BOSS, { authenticatedAt: new Date(Date.now() - DAY) }, 'recent_authentication_required'],
  ['full', BOSS, { authentication: 'remember-me' }, 'recent_authentication_required'],
  ['factor', BOSS, {}, 'further_factor_required'],
  ['user', { ...BOSS, id: 'nobody' }, {}, 'session_required'],
];

describe.each(EVERY)('on $graph with $store, two nodes', ({ graph, store }) => {
  let backend: Backend;
  let here: GraphApp;
  let there: GraphApp;

  beforeEach(async () => {
    backend = await openBackend(store);
    const start = (): Promise<GraphApp> =>
      GraphApp.start({
        graph,
        ...(graph !== 'Mercurius' && { config: { csrfPrevention: false } }),
        realms: {
          default: {
            storage: backend.storage,
            storeTimeout: '20s',
            concurrency: 100,
            global: true,
            csrf: { global: true },
          },
        },
      });
    [here, there] = [await start(), await start()];
  });

  afterEach(async () => {
    await closeApps();
    await backend.close();
    ran.splice(0);
  });

  it('have every guard and decorator refuse and let pass', async () => {
    const { cookie } = await signInAs(here.app, BOSS, { factors: ['totp'] });
    expect(await there.ask('{ guarded roles recent full factor user open unmarked }', { cookie })).toEqual({
      data: {
        guarded: 'alice',
        roles: 'boss',
        recent: 'recent',
        full: 'full',
        factor: 'totp',
        user: 'alice',
        open: 'alice',
        unmarked: 'anybody',
      },
    });
    expect(await there.ask('{ account { viewer } open }')).toEqual({ data: { account: { viewer: null }, open: null } });
    ran.splice(0);
    for (const [door, user, options, reason] of SESSIONS) {
      const lacking = await signInAs(here.app, user, options);
      expect(await there.ask(`{ ${door} }`, { cookie: lacking.cookie })).toMatchObject({
        errors: [{ extensions: { reason, realm: 'default' } }],
      });
    }
    const required = { errors: [{ extensions: { code: 'UNAUTHENTICATED', reason: 'session_required' } }] };
    expect(await there.ask('{ unmarked }')).toMatchObject(required);
    expect(ran).toEqual([]);
  });

  it('see the end of a session, and its new roles, in the next operation', async () => {
    const { cookie, session } = await signInAs(here.app, { ...BOSS, roles: [] });
    expect(await there.ask('{ roles }', { cookie })).toMatchObject({
      errors: [{ extensions: { reason: 'forbidden' } }],
    });
    await here.app.get(SessionAuthService).rolesChanged('alice', ['boss']);
    expect(await there.ask('{ roles }', { cookie })).toEqual({ data: { roles: 'boss' } });
    await here.app.get(SessionLifecycleService).revoke('alice', session.id);
    expect(await there.ask('{ guarded }', { cookie })).toMatchObject({
      errors: [{ extensions: { reason: 'session_required' } }],
    });
  });

  it('run no mutation without the token of the session, in a batch or by GET', async () => {
    const { cookie, csrfToken } = await signInAs(here.app, BOSS);
    const batch = [{ query: '{ guarded }' }, { query: 'mutation { act }' }, { query: 'mutation { actUnmarked }' }];
    const forged = [{ data: { guarded: 'alice' } }, { data: { act: null } }, { data: { actUnmarked: null } }];
    expect((await there.post(batch, { cookie })).json).toMatchObject(forged);
    expect((await send(there.port, 'GET', '/graphql?query={guarded}', { cookie })).json).toMatchObject(forged[0]!);
    await send(there.port, 'GET', '/graphql?query=mutation{act}', { cookie });
    expect(ran).toEqual(['guarded', 'guarded']);
    expect((await there.post(batch, { cookie, csrf: csrfToken })).json).toEqual([
      { data: { guarded: 'alice' } },
      { data: { act: 'alice' } },
      { data: { actUnmarked: 'done' } },
    ]);
  });
});
