import {
  Controller,
  Get,
  Inject,
  Query,
  Req,
  UseGuards,
  type INestApplication,
  type WebSocketAdapter,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  Clock,
  CurrentSession,
  Public,
  realmToken,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  SessionEventPublisher,
  type SessionEvent,
  type SessionUser,
  type SessionUserProvider,
} from 'nestjs-session-auth';
import { withSessions, type ConnectionOptions } from 'nestjs-session-auth/websockets';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Backend } from './bank.js';
import { logger, options, type Options } from './door-app.js';
import { makeServer, type ServerName } from './http-server.js';
import { ManualClock } from './manual-clock.js';
import type { SocketsName } from './socket-client.js';
import { DoorGateway } from './socket-gateway.js';

export const ALICE: SessionUser = { id: 'alice', email: 'alice@example.com', roles: ['customer'] };

export const PASSWORD = 'a password for everybody';
/** bcrypt of {@link PASSWORD}, cost 4. */
const PASSWORD_HASH = '$2b$04$FVF5UsHqRTqN6dRQ46qQC.XGT6plmmay1zAAr8h6TMS0gK8KXViRu';

/** Users of whom all are there, until they are said to be gone. */
export class EveryUser implements SessionUserProvider {
  readonly gone = new Set<string>();

  findByEmail(email: string): Promise<SessionUser | undefined> {
    return this.findById(email.split('@')[0]!);
  }

  findById(id: string): Promise<SessionUser | undefined> {
    const user = { id, email: `${id}@example.com`, roles: ['customer'], passwordHash: PASSWORD_HASH };
    return Promise.resolve(this.gone.has(id) ? undefined : user);
  }
}

/** What a browser does over HTTP meanwhile: by GET, so that it needs no CSRF token. */
@Public()
@Controller('over-http')
export class AccountController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @UseGuards(SessionAuthGuard)
  @Get('guarded')
  guarded(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @Get('logout')
  logout(@Req() request: object): Promise<void> {
    return this.auth.logout(request);
  }

  @Get('rotate')
  rotate(@Req() request: object): Promise<void> {
    return this.auth.rotate(request);
  }

  @Get('login')
  async login(@Req() request: object, @Query('user') id = ALICE.id): Promise<void> {
    await this.auth.loginUser(request, { ...ALICE, id });
  }

  @Get('factor')
  async factor(@Req() request: object): Promise<void> {
    await this.auth.factorCompleted(request, 'totp');
  }

  @Get('prove')
  async prove(@Req() request: object): Promise<void> {
    await this.auth.reauthenticate(request, { password: PASSWORD });
  }

  @Get('remembered')
  async remembered(@Req() request: object): Promise<void> {
    await this.auth.loginUser(request, ALICE, 'custom', { rememberMe: true });
  }
}

export interface SocketNode {
  readonly app: INestApplication;
  readonly port: number;
  readonly clock: ManualClock;
  readonly users: EveryUser;
  readonly events: SessionEvent[];
}

/** How a node differs from the plainest. */
export interface SocketSetup {
  readonly adapter?: ServerName;
  readonly sockets: SocketsName;
  /** @default memory */
  readonly backend?: Backend;
  readonly options?: Partial<Options>;
  /** With a second realm, `staff`. @default without */
  readonly staff?: Partial<Options>;
  /** Of `withSessions`. */
  readonly connections?: ConnectionOptions;
  readonly clock?: ManualClock;
  /** @default {@link DoorGateway} */
  readonly gateways?: readonly (new (...args: never[]) => object)[];
  /** What makes the adapter of the sockets. @default Nest's own */
  readonly make?: (app: INestApplication) => WebSocketAdapter;
  readonly trustProxy?: boolean;
}

export async function startNode(setup: SocketSetup): Promise<SocketNode> {
  const { adapter = 'express', sockets, backend, clock = new ManualClock(), gateways = [DoorGateway] } = setup;
  const users = new EveryUser();
  // asked once: each time, it is on connections of its own
  const storage = backend?.linkedStorage;
  const common = {
    ...(storage !== undefined && { storage }),
    users: { useValue: users },
    storeTimeout: '20s',
    cleanup: false,
  } as const;
  class Root {}
  const imports = [SessionAuthModule.forRoot(options({ ...common, ...setup.options }))];
  if (setup.staff !== undefined)
    imports.push(SessionAuthModule.forRoot(options({ ...common, realm: 'staff', ...setup.staff })));
  const root = { module: Root, imports, controllers: [AccountController], providers: [...gateways] };
  const app = await NestFactory.create(root, makeServer(adapter, setup.trustProxy), { logger, abortOnError: false });
  const realms = setup.staff === undefined ? ['default'] : ['default', 'staff'];
  for (const realm of realms) Object.assign(app.get(realmToken(realm, Clock)), { now: () => clock.now() });
  const events: SessionEvent[] = [];
  app.get(SessionEventPublisher).subscribe((event) => void events.push(event));
  const made = setup.make?.(app) ?? (sockets === 'ws' ? new WsAdapter(app) : new IoAdapter(app));
  try {
    app.useWebSocketAdapter(withSessions(made, app, setup.connections));
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return { app, port, clock, users, events };
}
