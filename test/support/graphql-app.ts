import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { NestFactory } from '@nestjs/core';
import { GraphQLModule, type GqlModuleOptions } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { DynamicModule, INestApplication, Provider } from '@nestjs/common';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Clock, realmToken, SessionAuthModule } from 'nestjs-session-auth';
import { send, type Answer, type Ask } from './bank-client.js';
import { apps, logger, options } from './door-app.js';
import { DoorResolver, RealmDoorResolver, TYPE_DEFS } from './graphql-doors.js';
import { makeServer } from './http-server.js';
import type { ManualClock } from './manual-clock.js';
import type { Certificate } from './self-signed-certificate.js';
import { REALMS, usersOf, type RealmOptions } from './realm-app.js';

type Hands = (request: object, response: object) => object;

/** The servers of GraphQL, with the context that each has by default, and with one that holds the response. */
export const GRAPHS = {
  'Apollo on Express': { adapter: 'express', driver: 'apollo' },
  'Apollo on Express with { req, res }': {
    adapter: 'express',
    driver: 'apollo',
    context: ({ req, res }: { req: object; res: object }) => ({ req, res }),
  },
  'Apollo on Fastify': { adapter: 'fastify', driver: 'apollo' },
  'Apollo on Fastify with { req, reply }': {
    adapter: 'fastify',
    driver: 'apollo',
    context: ((req, reply) => ({ req, reply })) as Hands,
  },
  Mercurius: { adapter: 'fastify', driver: 'mercurius' },
} as const;
export type GraphName = keyof typeof GRAPHS;
export const GRAPH_NAMES = Object.keys(GRAPHS) as GraphName[];

export interface GraphSetup {
  readonly graph: GraphName;
  readonly schema?: 'code first' | 'schema first';
  readonly realms?: RealmOptions;
  /** Of the GraphQLModule. */
  readonly config?: Record<string, unknown>;
  /** @default the doors of all realms */
  readonly resolvers?: Provider[];
  /** Beside the resolvers. */
  readonly providers?: Provider[];
  /** Schema first. @default those of the doors */
  readonly typeDefs?: string | string[];
  /** @default that of the machine */
  readonly clock?: ManualClock;
  /** Speak TLS by this. @default plain HTTP */
  readonly certificate?: Certificate;
  /** What happens to the application before it listens. */
  readonly configure?: (app: INestApplication) => void;
  readonly imports?: DynamicModule[];
}

/** What a server of GraphQL answers. */
export interface GraphAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[];
}

class GraphModule {}

/** A running application, with the three realms of the tests. */
export class GraphApp {
  constructor(
    readonly app: INestApplication,
    readonly port: number,
  ) {}

  static async start({
    graph,
    schema = 'code first',
    realms = {},
    config = {},
    ...more
  }: GraphSetup): Promise<GraphApp> {
    const { adapter, driver, ...given } = GRAPHS[graph];
    const definitions = schema === 'code first' ? { autoSchemaFile: true } : { typeDefs: more.typeDefs ?? TYPE_DEFS };
    const all: Omit<GqlModuleOptions, 'resolvers'> = { ...definitions, path: '/graphql', ...given, ...config };
    const modules = REALMS.map((realm) =>
      SessionAuthModule.forRoot(
        options({
          ...(realm === 'default' ? {} : { realm }),
          users: { useClass: usersOf(realm) },
          loginThrottle: false,
          ...realms[realm],
        }),
      ),
    );
    const batching = { apollo: { allowBatchedHttpRequests: true }, mercurius: { allowBatchedQueries: true } };
    const root: DynamicModule = {
      module: GraphModule,
      imports: [
        ...modules,
        driver === 'apollo'
          ? GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, ...batching.apollo, ...all })
          : GraphQLModule.forRoot<MercuriusDriverConfig>({ driver: MercuriusDriver, ...batching.mercurius, ...all }),
        ...(more.imports ?? []),
      ],
      providers: [...(more.resolvers ?? [DoorResolver, RealmDoorResolver]), ...(more.providers ?? [])],
    };
    const app = await NestFactory.create(root, makeServer(adapter, false, more.certificate), {
      logger,
      abortOnError: false,
      ...(more.certificate !== undefined && { httpsOptions: more.certificate }),
    });
    apps.push(app);
    const { clock } = more;
    if (clock !== undefined) {
      for (const realm of REALMS) Object.assign(app.get<Clock>(realmToken(realm, Clock)), { now: () => clock.now() });
    }
    more.configure?.(app);
    await app.listen(0, '127.0.0.1');
    return new GraphApp(app, ((app.getHttpServer() as Server).address() as AddressInfo).port);
  }

  /** Sends an operation in a POST, as clients do. */
  async ask(query: string, ask: Ask = {}): Promise<GraphAnswer> {
    return (await this.post({ query }, ask)).json as GraphAnswer;
  }

  post(body: unknown, ask: Ask = {}): Promise<Answer> {
    return send(this.port, 'POST', '/graphql', { csrf: false, ...ask, body });
  }
}
