import 'reflect-metadata';
import { Controller, Get, Module, Query, Req, UseGuards, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Redis } from 'ioredis';
import {
  Clock,
  CurrentSession,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  SessionLifecycleService,
  type StorageOptions,
} from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { signInAs } from 'nestjs-session-auth/testing';
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { withSessions } from 'nestjs-session-auth/websockets';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { now, type NodeReport, type NodeSetup, type NodeTask, type SignedInUser } from './socket-tasks.ts';

let handled = 0;
const lastHandled: Record<string, number> = {};
let ahead = 0;

@WebSocketGateway()
class NoteGateway {
  @UseGuards(SessionAuthGuard)
  @SubscribeMessage('note')
  note(@CurrentSession('id') id: string): void {
    handled += 1;
    lastHandled[id] = now();
  }
}

@Controller()
class VisitController {
  constructor(private readonly auth: SessionAuthService) {}

  @UseGuards(SessionAuthGuard)
  @Get('visit')
  visit(): object {
    return {};
  }

  @Get('login')
  async login(@Req() request: object, @Query('user') id: string): Promise<void> {
    await this.auth.loginUser(request, userOf(id));
  }

  @UseGuards(SessionAuthGuard)
  @Get('logout')
  async logout(@Req() request: object): Promise<void> {
    await this.auth.logout(request);
  }
}

function userOf(id: string): { readonly id: string; readonly email: string; readonly roles: readonly string[] } {
  return { id, email: `${id}@example.com`, roles: [] };
}

function storageOf({ store, url, linkUrl }: NodeSetup): StorageOptions {
  if (store === 'postgres') return typeOrmStorage({ link: { url: linkUrl } });
  const client = new Redis(url);
  // the link listens on a connection of its own: this one can be broken alone
  client.duplicate = (options) => new Redis(linkUrl, options ?? {});
  return redisStorage({ client, link: true });
}

async function start(setup: NodeSetup): Promise<INestApplication> {
  const database = TypeOrmModule.forRoot({
    type: 'postgres',
    url: setup.url,
    migrations: [CreateSessionAuthTables],
    migrationsRun: setup.isFirst,
  });

  @Module({
    imports: [
      ...(setup.store === 'postgres' ? [database] : []),
      SessionAuthModule.forRoot({
        secrets: ['the secret of a run with sockets, of more than 32 bytes'],
        concurrency: { max: 2, onLimit: 'evict-oldest' },
        storage: storageOf(setup),
      }),
    ],
    providers: [NoteGateway],
    controllers: [VisitController],
  })
  class NodeModule {}

  const app = await NestFactory.create(NodeModule, { logger: false });
  Object.assign(app.get(Clock), { now: () => Date.now() + ahead });
  const adapter = new WsAdapter(app);
  app.useWebSocketAdapter(setup.isPlain === true ? adapter : withSessions(adapter, app));
  await app.listen(0, '127.0.0.1');
  return app;
}

const setup = JSON.parse(process.argv[2]!) as NodeSetup;
const app = await start(setup);
const { port } = (app.getHttpServer() as Server).address() as AddressInfo;

async function get(path: string, cookie: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie } });
  await answer.text();
  return answer.status;
}

async function end({ how, user, session, cookie }: Extract<NodeTask, { do: 'end' }>): Promise<void> {
  switch (how) {
    case 'logout':
      await get('/logout', cookie);
      return;
    case 'replace':
      // as somebody else: a login of the same user would renew the session
      await get(`/login?user=${user}-next`, cookie);
      return;
    case 'revoke':
      await app.get(SessionLifecycleService).revoke(user, session);
      return;
    case 'evict':
      for (let i = 0; i < 2; i += 1) await signInAs(app, userOf(user));
      return;
    case 'credentials changed':
      await app.get(SessionAuthService).credentialsChanged(user);
      return;
    case 'account disabled':
      await app.get(SessionAuthService).accountDisabled(user);
  }
}

async function perform(task: NodeTask): Promise<object> {
  switch (task.do) {
    case 'sign in': {
      const signedIn: SignedInUser[] = [];
      for (const user of task.users) {
        const { cookie, session } = await signInAs(app, userOf(user));
        signedIn.push({ user, session: session.id, cookie });
      }
      return signedIn;
    }
    case 'end':
      await end(task);
      return { at: now() };
    case 'advance':
      ahead += task.milliseconds;
      return {};
    case 'visit': {
      const statuses = [];
      for (const cookie of task.cookies) statuses.push(await get('/visit', cookie));
      return { alive: statuses.filter((status) => status === 200).length };
    }
    case 'report': {
      globalThis.gc?.();
      return { handled, lastHandled, heapBytes: process.memoryUsage().heapUsed } satisfies NodeReport;
    }
  }
}

// tasks may overlap: each is answered by its number
process.on('message', ({ id, task }: { id: number; task: NodeTask }) => {
  perform(task).then(
    (result) => process.send!({ id, result }),
    (error: unknown) => process.send!({ id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send!({ port });
