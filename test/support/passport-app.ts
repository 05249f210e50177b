import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  All,
  Controller,
  Inject,
  Injectable,
  Module,
  Next,
  Param,
  Req,
  Res,
  UseGuards,
  type DynamicModule,
  type INestApplication,
  type MiddlewareConsumer,
  type ModuleMetadata,
  type NestModule,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Request, RequestHandler, Response } from 'express';
import {
  Clock,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  SessionEventPublisher,
  type SessionAuthExtras,
  type SessionAuthOptions,
  type SessionEvent,
  type SessionUser,
  type SessionUserProvider,
  type StorageOptions,
} from 'nestjs-session-auth';
import {
  PassportCompatModule,
  SessionPassport,
  type PassportSession,
  type RequestUser,
  type SessionCallback,
} from 'nestjs-session-auth/passport';
import { BankClient } from './bank-client.js';
import { apps, log, logger, SECRETS } from './door-app.js';
import { makeServer, senderFor, type ServerName } from './http-server.js';
import { StoppedClock } from './manual-clock.js';

export { log };

/** A request as code that was written for passport knows it. */
export interface Asked extends Omit<
  Request,
  'user' | 'session' | 'flash' | 'logIn' | 'login' | 'logOut' | 'logout' | 'isAuthenticated'
> {
  user?: SessionUser;
  isAuthenticated(): boolean;
  session: PassportSession;
  flash: (type?: string, message?: string | string[]) => unknown;
  logIn(user: object, options: object, done: SessionCallback): void;
  logIn(user: object, done: SessionCallback): void;
  login: Asked['logIn'];
  logOut(options: object, done: SessionCallback): void;
  logOut(done: SessionCallback): void;
  logout: Asked['logOut'];
}

/** What answers on `/view/<name>` behind `SessionPassport`, and on `/plain/<name>` without it. */
export type Handler = (
  request: Asked,
  response: Response,
  auth: SessionAuthService,
  next: (error?: unknown) => void,
) => unknown;

export const PEOPLE: Readonly<Record<string, SessionUser & { readonly name: string }>> = {
  alice: { id: 'alice', email: 'alice@example.com', roles: ['customer'], name: 'Alice' },
  bob: { id: 'bob', email: 'bob@example.com', roles: ['customer', 'clerk'], name: 'Bob' },
};

/** Users who know Alice and Bob, and may forget them. */
@Injectable()
export class People implements SessionUserProvider {
  readonly gone = new Set<string>();

  findByEmail(email: string): Promise<SessionUser | undefined> {
    return this.findById(email.split('@')[0]!);
  }

  findById(id: string): Promise<SessionUser | undefined> {
    return Promise.resolve(this.gone.has(id) ? undefined : PEOPLE[id]);
  }
}

export interface PassportSetup {
  readonly adapter?: ServerName;
  readonly storage?: StorageOptions;
  readonly options?: Partial<SessionAuthOptions & SessionAuthExtras>;
  /** @default 'session'; false: without PassportCompatModule */
  readonly requestUser?: RequestUser | false;
  readonly handlers?: Readonly<Record<string, Handler>>;
  /** Middleware on the same routes, after `SessionPassport`. */
  readonly behind?: readonly RequestHandler[];
  /** Middleware of the whole application, before all of Nest's. */
  readonly before?: readonly RequestHandler[];
  readonly module?: ModuleMetadata;
  /** @default express: `/view` */
  readonly withView?: boolean;
}

export interface PassportApp {
  readonly app: INestApplication;
  readonly port: number;
  readonly clock: StoppedClock;
  readonly people: People;
  readonly events: SessionEvent[];
  readonly client: () => BankClient;
}

@Module({})
class AppModule {}

/** An application whose handlers a test gives; `afterEach(closeApps)` closes it. */
export async function startPassport(setup: PassportSetup = {}): Promise<PassportApp> {
  const { adapter = 'express', handlers = {}, requestUser = 'session', behind = [] } = setup;
  const { withView = adapter === 'express' } = setup;
  const clock = new StoppedClock();
  const people = new People();

  @Controller()
  class Play {
    constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

    @All(['view/:name', 'plain/:name'])
    play(
      @Param('name') name: string,
      @Req() request: Asked,
      @Res() response: Response,
      @Next() next: () => void,
    ): unknown {
      const handler: Handler = { ...HANDLERS, ...handlers }[name]!;
      return handler(request, response, this.auth, next);
    }

    @UseGuards(SessionAuthGuard)
    @All(['view/guarded/:name', 'plain/guarded/:name'])
    guarded(
      @Param('name') name: string,
      @Req() request: Asked,
      @Res() response: Response,
      @Next() next: () => void,
    ): unknown {
      return this.play(name, request, response, next);
    }
  }

  class ViewModule implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer.apply(SessionPassport, ...behind).forRoutes('view/*path');
    }
  }
  const view: DynamicModule[] = withView ? [{ module: ViewModule }] : [];
  const sessions = SessionAuthModule.forRoot({
    secrets: SECRETS,
    passwords: { cost: 4 },
    users: { useValue: people },
    loginThrottle: false,
    cleanup: false,
    storeTimeout: '20s',
    concurrency: { max: 5, onLimit: 'evict-oldest' },
    fingerprint: false,
    ...(setup.storage === undefined ? {} : { storage: setup.storage }),
    ...setup.options,
  });
  const compat = requestUser === false ? [] : [PassportCompatModule.register({ requestUser })];
  const { imports = [], controllers = [], providers = [] } = setup.module ?? {};
  const root: DynamicModule = {
    module: AppModule,
    imports: [sessions, ...compat, ...view, ...imports],
    controllers: [...controllers, Play],
    providers,
  };
  const app = await NestFactory.create(root, makeServer(adapter), { logger, abortOnError: false });
  apps.push(app);
  for (const middleware of setup.before ?? []) app.use(middleware);
  moveClock(app, clock);
  const events: SessionEvent[] = [];
  app.get(SessionEventPublisher).subscribe((event) => void events.push(event));
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return { app, port, clock, people, events, client: () => new BankClient(port, senderFor(adapter)) };
}

/** Has the application's clock stand still until a test moves it. */
function moveClock(app: INestApplication, clock: StoppedClock): void {
  app.get(Clock).now = () => clock.now();
}

/** What most tests ask. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  enter: (request, response, auth) => enter(request, response, auth),
  data: (request, response) => response.json(request.session ?? null),
  user: (request, response) =>
    send(response, { user: request.user ?? null, isAuthenticated: request.isAuthenticated() }),
  stored: async (request, response, auth) => send(response, (await auth.current(request))?.data ?? null),
};

async function enter(request: Asked, response: Response, auth: SessionAuthService): Promise<void> {
  const { as = 'alice', rememberMe } = request.query as Record<string, string>;
  await auth.loginUser(request, PEOPLE[as]!, 'custom', { rememberMe: rememberMe !== undefined });
  send(response, {});
}

/** Sends JSON, by Express or Fastify. */
export function send(response: Response, body: unknown): void {
  const reply = response as Response & { readonly raw?: unknown };
  if (reply.raw === undefined) reply.json(body);
  else reply.send(body);
}
