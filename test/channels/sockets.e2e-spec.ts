import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Inject, UseFilters, UseGuards, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway, type WsResponse } from '@nestjs/websockets';
import {
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  Public,
  Roles,
  SessionAuthErrorFilter,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
} from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { ADAPTERS, makeServer, type ServerName } from '../support/http-server.js';
import { log, logger, options, type Options } from '../support/door-app.js';

const ran: string[] = [];
const note = (name: string): WsResponse => {
  ran.push(name);
  return { event: 'done', data: name };
};

@UseFilters(SessionAuthErrorFilter)
@WebSocketGateway()
class Gateway {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @SubscribeMessage('unmarked')
  unmarked(): WsResponse {
    return note('unmarked');
  }

  @Public()
  @SubscribeMessage('public')
  public(): WsResponse {
    return note('public');
  }

  @UseGuards(SessionAuthGuard)
  @SubscribeMessage('guarded')
  guarded(): WsResponse {
    return note('guarded');
  }

  @Roles('boss')
  @SubscribeMessage('roles')
  roles(): WsResponse {
    return note('roles');
  }

  @Public()
  @SubscribeMessage('session')
  session(@CurrentSession() _session: unknown): WsResponse {
    return note('session');
  }

  @Public()
  @SubscribeMessage('user')
  user(@CurrentUser() _user: unknown): WsResponse {
    return note('user');
  }

  @CsrfProtected()
  @Public()
  @SubscribeMessage('csrf')
  csrf(): WsResponse {
    return note('csrf');
  }

  @Public()
  @SubscribeMessage('service')
  async service(): Promise<WsResponse> {
    await this.auth.rolesChanged('alice', [5] as never);
    return note('service');
  }
}

const SOCKETS = ['socket.io', 'ws'] as const;
type Sockets = (typeof SOCKETS)[number];

/** What came back for a message: the name of the event, and its data. */
type Received = readonly [event: string, data: unknown];

const running: { close(): unknown }[] = [];

async function start(adapter: ServerName, sockets: Sockets, given: Partial<Options> = {}): Promise<INestApplication> {
  class Root {}
  const root = { module: Root, imports: [SessionAuthModule.forRoot(options(given))], providers: [Gateway] };
  const app = await NestFactory.create(root, makeServer(adapter), { logger });
  app.useWebSocketAdapter(sockets === 'ws' ? new WsAdapter(app) : new IoAdapter(app));
  await app.listen(0, '127.0.0.1');
  running.push(app);
  return app;
}

/** Opens a connection with a cookie. Returns what sends a message, and resolves with what comes back for it. */
async function connect(
  app: INestApplication,
  sockets: Sockets,
  cookie: string,
): Promise<(message: string) => Promise<Received>> {
  const url = `127.0.0.1:${((app.getHttpServer() as Server).address() as AddressInfo).port}`;
  if (sockets === 'ws') {
    const client = new WebSocket(`ws://${url}/`, { headers: { cookie } });
    await once(client, 'open');
    running.unshift(client);
    return async (event) => {
      client.send(JSON.stringify({ event, data: {} }));
      const [received] = (await once(client, 'message')) as [Buffer];
      const { event: answered, data } = JSON.parse(received.toString()) as { event: string; data: unknown };
      return [answered, data];
    };
  }
  const client = io(`http://${url}`, { extraHeaders: { cookie }, transports: ['websocket'] });
  await new Promise<void>((resolve) => client.once('connect', resolve));
  running.unshift(client);
  return (event) =>
    new Promise((resolve) => {
      client.onAny((answered: string, data: unknown) => resolve([answered, data]));
      client.emit(event, {});
    }).finally(() => client.offAny()) as Promise<Received>;
}

const NOT_BOUND = ['exception', { code: 'request_not_bound', message: 'Internal server error' }];

describe.each(ADAPTERS.flatMap((adapter) => SOCKETS.map((sockets) => ({ adapter, sockets }))))(
  'messages of $sockets on $adapter, whose opening request nobody has checked,',
  ({ adapter, sockets }) => {
    beforeEach(() => void [ran, log].forEach((each) => each.splice(0)));
    afterEach(async () => {
      for (const each of running.splice(0)) await each.close();
    });

    const open = async (given?: Partial<Options>): Promise<(message: string) => Promise<Received>> => {
      const app = await start(adapter, sockets, given);
      return connect(app, sockets, (await signInAs(app, { id: 'alice', roles: ['boss'] })).cookie);
    };

    it('are refused with a code if a session is required, and the log says what to add', async () => {
      const send = await open();
      for (const door of ['guarded', 'roles', 'session', 'user']) expect(await send(door)).toEqual(NOT_BOUND);
      expect(ran).toEqual([]);
      const line = 'app.useWebSocketAdapter(withSessions(new IoAdapter(app), app))';
      expect(log.filter(({ text }) => text.includes(line))).toHaveLength(4);
    });

    it('run if no session is required, and need no CSRF token', async () => {
      const send = await open({ csrf: { global: true } });
      for (const door of ['unmarked', 'public', 'csrf']) expect(await send(door)).toEqual(['done', door]);
    });

    it('are refused by a global guard, unless they are @Public()', async () => {
      const send = await open({ global: true });
      expect(await send('unmarked')).toEqual(NOT_BOUND);
      expect(await send('public')).toEqual(['done', 'public']);
      expect(ran).toEqual(['public']);
    });

    it('whose handlers call a service that refuses get its code, by the filter at the gateway', async () => {
      const send = await open();
      expect(await send('service')).toEqual(['exception', { code: 'invalid_user', message: 'Internal server error' }]);
    });
  },
);
