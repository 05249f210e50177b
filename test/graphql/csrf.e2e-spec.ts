import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { signInAs, type SignedIn } from 'nestjs-session-auth/testing';
import { send } from '../support/bank-client.js';
import { closeApps } from '../support/door-app.js';
import { GRAPH_NAMES, GraphApp, GRAPHS, type GraphAnswer } from '../support/graphql-app.js';
import { ran } from '../support/graphql-doors.js';

const ALICE = { id: 'alice', email: 'alice@example.com', roles: [] };

/** What refuses one operation. */
const FORGED = { extensions: { code: 'FORBIDDEN', reason: 'csrf_failed', realm: 'default' } };

describe.each(GRAPH_NAMES)('on %s,', (graph) => {
  const isApollo = GRAPHS[graph].driver === 'apollo';
  let running: GraphApp;
  let alice: SignedIn;

  beforeAll(async () => {
    const query = 'mutation { act }';
    const persistedQueries = { [createHash('sha256').update(query).digest('hex')]: query };
    const config = isApollo ? { csrfPrevention: false } : { persistedQueries };
    running = await GraphApp.start({ graph, config, realms: { default: { csrf: { global: true } } } });
    alice = await signInAs(running.app, ALICE);
  });
  afterAll(closeApps);
  beforeEach(() => void ran.splice(0));

  const act = (csrf: string | false, headers = {}): Promise<GraphAnswer> =>
    running.ask('mutation { act actUnmarked }', { cookie: alice.cookie, csrf, headers });

  it('a mutation needs the token of the session', async () => {
    expect(await act(alice.csrfToken)).toEqual({ data: { act: 'alice', actUnmarked: 'done' } });
    expect(ran).toEqual(['act', 'actUnmarked']);
  });

  it('a mutation without it, with another one or from another site is refused, and none of its fields runs', async () => {
    const other = await signInAs(running.app, { ...ALICE, id: 'bob' });
    const refusals = [
      await act(false),
      await act(other.csrfToken),
      await act(alice.csrfToken, { origin: 'https://evil.example' }),
    ];
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ data: { act: null, actUnmarked: null }, errors: [FORGED, FORGED] });
    }
    expect(ran).toEqual([]);
  });

  it('a query needs none, with every verb', async () => {
    const { cookie } = alice;
    const asked = { data: { guarded: 'alice' } };
    expect(await running.ask('{ guarded }', { cookie })).toEqual(asked);
    expect((await send(running.port, 'GET', '/graphql?query={guarded}', { cookie })).json).toEqual(asked);
  });

  it('a mutation does not run without a token by GET either', async () => {
    const answer = await send(running.port, 'GET', '/graphql?query=mutation{act}', { cookie: alice.cookie });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(ran).toEqual([]);
  });

  it('no mutation of a batch runs without a token, the queries of it do', async () => {
    const batch = [{ query: '{ guarded }' }, { query: 'mutation { act }' }, { query: 'mutation { actUnmarked }' }];
    const answer = await running.post(batch, { cookie: alice.cookie });
    expect(answer.json).toMatchObject([
      { data: { guarded: 'alice' } },
      { data: { act: null }, errors: [FORGED] },
      { data: { actUnmarked: null }, errors: [FORGED] },
    ]);
    expect(ran).toEqual(['guarded']);
    const allowed = await running.post(batch, { cookie: alice.cookie, csrf: alice.csrfToken });
    expect(allowed.json).toEqual([
      { data: { guarded: 'alice' } },
      { data: { act: 'alice' } },
      { data: { actUnmarked: 'done' } },
    ]);
  });

  it('of several operations in one document, the one that runs counts', async () => {
    const query = 'query Look { guarded } mutation Act { act }';
    const { cookie } = alice;
    const [look, forged] = [
      await running.post({ query, operationName: 'Look' }, { cookie }),
      await running.post({ query, operationName: 'Act' }, { cookie }),
    ];
    expect(look.json).toEqual({ data: { guarded: 'alice' } });
    expect(forged.json).toMatchObject({ errors: [FORGED] });
    expect(ran).toEqual(['guarded']);
  });

  it.each([
    ['a form', 'application/x-www-form-urlencoded', 'query=mutation%7Bact%7D'],
    ['text that looks like JSON', 'text/plain', '{"query":"mutation{act}"}'],
    ['application/graphql', 'application/graphql', 'mutation { act }'],
    [
      'multipart',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query":"mutation{act}"}\r\n--b--\r\n',
    ],
  ])('no mutation runs without a token that comes as %s', async (_, type, body) => {
    await running.post(body, { cookie: alice.cookie, headers: { 'content-type': type } });
    expect(ran).toEqual([]);
  });

  it('no persisted mutation runs without a token', async () => {
    const query = 'mutation { act }';
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    const ask = (csrf: string | false, more: object = {}): Promise<GraphAnswer> =>
      running
        .post(isApollo ? { extensions, ...more } : { query: sha256Hash, persisted: true }, {
          cookie: alice.cookie,
          csrf,
        })
        .then(({ json }) => json as GraphAnswer);
    expect(await ask(false, { query })).toMatchObject({ errors: [FORGED] });
    expect(await ask(false)).toMatchObject({ errors: [FORGED] });
    expect(ran).toEqual([]);
    expect(await ask(alice.csrfToken)).toEqual({ data: { act: 'alice' } });
  });

  it('a mutation in a route of several realms needs the token of the one whose session there is', async () => {
    const partner = await signInAs(running.app, { id: 'dealer' }, { realm: 'partner' });
    const ask = (csrf: string | false): Promise<GraphAnswer> =>
      running.ask('mutation { actAsEither }', { cookie: `${alice.cookie}; ${partner.cookie}`, csrf });
    const refused = { errors: [{ extensions: { reason: 'csrf_failed', realm: 'partner' } }] };
    expect(await ask(false)).toMatchObject(refused);
    expect(await ask(alice.csrfToken)).toMatchObject(refused);
    expect(await ask(partner.csrfToken)).toEqual({ data: { actAsEither: 'partner' } });
  });
});
