import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import { PassportCompatModule } from 'nestjs-session-auth/passport';
import { signInAs } from 'nestjs-session-auth/testing';
import { SESSION_COOKIE } from '../support/bank-client.js';
import { closeApps } from '../support/door-app.js';
import { GRAPH_NAMES, GraphApp } from '../support/graphql-app.js';
import type { Asked } from '../support/passport-app.js';

const ALICE = { id: 'alice', email: 'alice@example.com', roles: ['boss'] };

interface Graph {
  readonly req?: Asked;
  readonly request?: Asked;
  readonly reply?: { readonly request: Asked };
}

/** The request in the context of an operation: `req` on Express, `req` or `request` with Apollo on Fastify. */
const requestOf = ({ reply, req, request }: Graph): Asked => (reply?.request ?? req ?? request)!;

/** A resolver that was written for passport. */
@Resolver()
class PassportResolver {
  @Query(() => String)
  who(@Context() context: Graph): string {
    const request = requestOf(context);
    return JSON.stringify({ user: request.user ?? null, isAuthenticated: request.isAuthenticated() });
  }

  @Mutation(() => String)
  async enter(@Context() context: Graph): Promise<string> {
    const request = requestOf(context);
    await promisify((done: (error?: unknown) => void) => request.logIn(ALICE, done))();
    return this.who(context);
  }
}

describe.each(GRAPH_NAMES)('req.user by PassportCompatModule in a resolver, on %s', (graph) => {
  let running: GraphApp;

  beforeAll(async () => {
    running = await GraphApp.start({
      graph,
      resolvers: [PassportResolver],
      imports: [PassportCompatModule.register({ requestUser: 'session' })],
    });
  });
  afterAll(closeApps);

  const who = async (cookie?: string): Promise<unknown> => {
    const { data, errors } = await running.ask('{ who }', { cookie });
    return errors ?? (JSON.parse(data!['who'] as string) as unknown);
  };

  it('is the user of the session, and nobody without one', async () => {
    const { cookie } = await signInAs(running.app, ALICE);
    expect(await who(cookie)).toEqual({ user: ALICE, isAuthenticated: true });
    expect(await who()).toEqual({ user: null, isAuthenticated: false });
    expect(await who(`${SESSION_COOKIE}=forged`)).toEqual({ user: null, isAuthenticated: false });
  });

  it('is the user whom req.logIn of a mutation has signed in, where the context has the response', async () => {
    const { json, setCookies } = await running.post({ query: 'mutation { enter }' });
    const { data, errors } = json as { data: { enter: string } | null; errors?: { extensions: object }[] };
    if (graph === 'Apollo on Fastify') {
      expect(errors).toMatchObject([{ extensions: { reason: 'response_not_bound' } }]);
      expect(setCookies).toEqual([]);
      return;
    }
    expect(JSON.parse(data!.enter)).toMatchObject({ user: { id: 'alice' }, isAuthenticated: true });
    const cookies = setCookies.map((line) => line.split(';')[0]!);
    expect(await who(cookies.join('; '))).toMatchObject({ user: { id: 'alice' } });
  });
});
