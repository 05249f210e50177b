import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/bank-client.js';
import { closeApps, log } from '../support/door-app.js';
import { GRAPH_NAMES, GraphApp } from '../support/graphql-app.js';

const cookieIn = (answer: Answer): string =>
  answer.setCookies.map((line) => line.slice(0, line.indexOf(';'))).join('; ');

describe.each(GRAPH_NAMES.filter((graph) => graph !== 'Apollo on Fastify'))('on %s, a resolver', (graph) => {
  let running: GraphApp;

  beforeAll(async () => {
    running = await GraphApp.start({ graph });
  });
  afterAll(closeApps);

  it('signs a user in and out, by cookies of the response', async () => {
    const entered = await running.post({ query: 'mutation { enter }' });
    expect(entered.json).toEqual({ data: { enter: 'alice' } });
    expect(entered.headers['cache-control']).toContain('no-store');
    const cookie = cookieIn(entered);
    expect(await running.ask('{ guarded }', { cookie })).toEqual({ data: { guarded: 'alice' } });
    const left = await running.post({ query: 'mutation { leave }' }, { cookie });
    expect(left.json).toEqual({ data: { leave: 'done' } });
    expect(left.setCookies).toEqual(expect.arrayContaining([expect.stringMatching(/^__Host-session=;/)]));
    expect(await running.ask('{ guarded }', { cookie })).toMatchObject({ data: { guarded: null } });
  });

  it('hands out CSRF tokens, which the mutations of the same browser are sent with', async () => {
    const shown = await running.post({ query: '{ token }' });
    const csrf = (shown.json as { data: { token: string } }).data.token;
    const cookie = cookieIn(shown);
    expect(await running.ask('mutation { act }', { cookie, csrf })).toEqual({ data: { act: 'nobody' } });
    expect(await running.ask('mutation { act }', { csrf })).toMatchObject({ data: { act: null } });
  });
});

describe('on Apollo with Fastify, whose context has no response by default, a resolver', () => {
  let running: GraphApp;

  beforeAll(async () => {
    running = await GraphApp.start({ graph: 'Apollo on Fastify' });
  });
  afterAll(closeApps);

  it.each(['enter', 'leave'])('is refused with a code, and the log says what is missing: %s', async (mutation) => {
    log.splice(0);
    const answer = await running.post({ query: `mutation { ${mutation} }` });
    expect(answer.json).toMatchObject({
      data: { [mutation]: null },
      errors: [{ message: 'Internal server error', extensions: { reason: 'response_not_bound' } }],
    });
    expect(answer.setCookies).toEqual([]);
    expect(log.map(({ text }) => text).join()).toContain('return { req, res } (Express) or { req, reply } (Fastify)');
  });
});

describe('the option graphql.request', () => {
  afterAll(closeApps);

  it('finds the request where no usual place has it', async () => {
    const context = ({ req, res }: { req: object; res: object }): object => ({ req: { incoming: req }, res });
    const graph = 'Apollo on Express';
    const request = (given: Readonly<Record<string, unknown>>): object =>
      (given['req'] as { incoming: object }).incoming;
    const [without, running] = [
      await GraphApp.start({ graph, config: { context } }),
      await GraphApp.start({ graph, config: { context }, realms: { default: { graphql: { request } } } }),
    ];
    expect(await without.ask('{ guarded unmarked }')).toMatchObject({
      data: { guarded: null, unmarked: 'anybody' },
      errors: [{ message: 'Internal server error', extensions: { reason: 'request_not_bound' } }],
    });
    expect(await running.ask('{ guarded }')).toMatchObject({
      errors: [{ extensions: { reason: 'session_required' } }],
    });
    expect(await running.ask('{ account { viewer } open }')).toEqual({
      data: { account: { viewer: null }, open: null },
    });
  });
});
