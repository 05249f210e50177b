import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { signInAs, type SignInAsOptions } from 'nestjs-session-auth/testing';
import { closeApps } from '../support/door-app.js';
import { GRAPH_NAMES, GraphApp } from '../support/graphql-app.js';
import { ran } from '../support/graphql-doors.js';

const DAY = 24 * 60 * 60_000;
const ALICE = { id: 'alice', email: 'alice@example.com', roles: ['boss'] };

/** A guard, a session that it refuses, and how; the session that it lets pass has what all of them ask for. */
const GUARDS: [door: string, user: typeof ALICE, options: SignInAsOptions, code: string, reason: string][] = [
  ['roles', { ...ALICE, roles: [] }, {}, 'FORBIDDEN', 'forbidden'],
  [
    'recent',
    ALICE,
    { authenticatedAt: new Date(Date.now() - DAY) },
    'UNAUTHENTICATED',
    'recent_authentication_required',
  ],
  ['full', ALICE, { authentication: 'remember-me' }, 'UNAUTHENTICATED', 'recent_authentication_required'],
  ['factor', ALICE, {}, 'UNAUTHENTICATED', 'further_factor_required'],
  ['user', { ...ALICE, id: 'nobody' }, {}, 'UNAUTHENTICATED', 'session_required'],
];
const RESULTS = { guarded: 'alice', roles: 'boss', recent: 'recent', full: 'full', factor: 'totp', user: 'alice' };

const SCHEMAS = ['code first', 'schema first'] as const;

/** What an answer to a refused query of one field holds. */
const refused = (code: string, reason: string): object => ({
  errors: [{ message: expect.any(String), extensions: { code, reason, realm: 'default' } }],
});

describe.each(GRAPH_NAMES.flatMap((graph) => SCHEMAS.map((schema) => ({ graph, schema }))))(
  'on $graph, $schema,',
  ({ graph, schema }) => {
    let running: GraphApp;
    let boss: string;

    beforeAll(async () => {
      running = await GraphApp.start({ graph, schema, realms: { default: { concurrency: 100 } } });
      boss = (await signInAs(running.app, ALICE, { factors: ['totp'] })).cookie;
    });
    afterAll(closeApps);
    beforeEach(() => void ran.splice(0));

    it.each(Object.entries(RESULTS))('%s passes a session that has what it requires', async (door, result) => {
      expect(await running.ask(`{ ${door} }`, { cookie: boss })).toEqual({ data: { [door]: result } });
      expect(ran).toEqual([door]);
    });

    it.each(Object.keys(RESULTS))('%s refuses a client without a session, and runs no resolver', async (door) => {
      expect(await running.ask(`{ ${door} }`)).toMatchObject({
        data: { [door]: null },
        ...refused('UNAUTHENTICATED', 'session_required'),
      });
      expect(ran).toEqual([]);
    });

    it.each(GUARDS)('%s refuses a session that lacks what it requires', async (door, user, options, code, reason) => {
      const { cookie } = await signInAs(running.app, user, options);
      expect(await running.ask(`{ ${door} }`, { cookie })).toMatchObject(refused(code, reason));
      expect(ran).toEqual([]);
    });

    it('an open query receives the session, or undefined', async () => {
      expect(await running.ask('{ open unmarked }')).toEqual({ data: { open: null, unmarked: 'anybody' } });
      expect(await running.ask('{ open }', { cookie: boss })).toEqual({ data: { open: 'alice' } });
    });

    it('an error of a service in a resolver has the same form as that of a guard', async () => {
      const answer = await running.ask('{ rotate }');
      const withoutResponse = graph === 'Apollo on Fastify';
      expect(answer).toMatchObject({
        errors: [
          {
            extensions: withoutResponse
              ? { code: 'INTERNAL_SERVER_ERROR', reason: 'response_not_bound' }
              : { code: 'UNAUTHENTICATED', reason: 'session_required' },
          },
        ],
      });
      expect(JSON.stringify(answer)).not.toContain('GraphQLModule');
    });

    it('decorators of field resolvers find the session, guards of theirs are not asked', async () => {
      const query = '{ account { id viewer secret } }';
      expect(await running.ask(query, { cookie: boss })).toEqual({
        data: { account: { id: '1', viewer: 'alice', secret: 'secret' } },
      });
      expect(await running.ask(query)).toEqual({ data: { account: { id: '1', viewer: null, secret: 'secret' } } });
      expect(await running.ask('{ account { owner } }')).toMatchObject(refused('UNAUTHENTICATED', 'session_required'));
      const broken = await running.ask('{ account { broken } }');
      expect(broken).toMatchObject({ errors: [{ extensions: { reason: expect.stringMatching(/required|bound/) } }] });
    });

    it('each handler of an operation has the session of its own realm', async () => {
      const [staff, partner] = [
        await signInAs(running.app, { id: 'clerk' }, { realm: 'staff' }),
        await signInAs(running.app, { id: 'dealer' }, { realm: 'partner' }),
      ];
      const cookie = [boss, staff.cookie, partner.cookie].join('; ');
      const query = '{ open staff either other guarded account { viewer clerk } }';
      expect(await running.ask(query, { cookie })).toEqual({
        data: {
          open: 'alice',
          staff: 'staff',
          either: 'staff',
          other: 'partner',
          guarded: 'alice',
          account: { viewer: 'alice', clerk: 'clerk' },
        },
      });
      expect(await running.ask(query, { cookie: partner.cookie })).toMatchObject({
        data: { open: null, staff: null, either: 'partner', other: 'partner', account: { viewer: null, clerk: null } },
        errors: [{ extensions: { realm: 'staff' } }, { extensions: { realm: 'default' } }],
      });
    });
  },
);

describe.each(GRAPH_NAMES)('on %s, with fieldResolverEnhancers,', (graph) => {
  let running: GraphApp;

  beforeAll(async () => {
    running = await GraphApp.start({ graph, config: { fieldResolverEnhancers: ['guards', 'filters'] } });
  });
  afterAll(closeApps);

  it('guards of field resolvers run', async () => {
    ran.splice(0);
    const query = '{ account { id secret viewer } }';
    expect(await running.ask(query)).toMatchObject({
      data: { account: { id: '1', secret: null, viewer: null } },
      ...refused('UNAUTHENTICATED', 'session_required'),
    });
    expect(ran).toEqual(['viewer']);
    const { cookie } = await signInAs(running.app, ALICE);
    expect(await running.ask(query, { cookie })).toEqual({
      data: { account: { id: '1', secret: 'secret', viewer: 'alice' } },
    });
  });
});

describe.each(GRAPH_NAMES)('on %s, with global guards,', (graph) => {
  let running: GraphApp;

  beforeAll(async () => {
    running = await GraphApp.start({ graph, realms: { default: { global: true } } });
  });
  afterAll(closeApps);

  it('every operation needs a session unless it is @Public()', async () => {
    ran.splice(0);
    expect(await running.ask('{ open unmarked }')).toMatchObject(refused('UNAUTHENTICATED', 'session_required'));
    expect(ran).toEqual(['open']);
    const { cookie } = await signInAs(running.app, ALICE);
    expect(await running.ask('{ open unmarked }', { cookie })).toEqual({
      data: { open: 'alice', unmarked: 'anybody' },
    });
  });
});
