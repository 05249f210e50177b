import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Module, Req, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import type { Express } from 'express';
import { CurrentSession, SessionAuthGuard, SessionAuthModule, SessionAuthService } from 'nestjs-session-auth';
import { once } from 'node:events';
import { createServer, IncomingMessage, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { send, type Answer } from '../support/bank-client.js';
import { apps, closeApps, logger, options } from '../support/door-app.js';

const require = createRequire(import.meta.url);

@Controller()
class EnterController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Get('enter')
  async enter(@Req() request: object): Promise<object> {
    await this.auth.loginUser(request, { id: 'alice' }, 'custom');
    return { text: 'x'.repeat(2000) };
  }

  @UseGuards(SessionAuthGuard)
  @Get('me')
  me(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

@Module({ imports: [SessionAuthModule.forRoot(options())], controllers: [EnterController] })
class EnterModule {}

const closed: Server[] = [];
afterEach(async () => {
  await closeApps();
  for (const server of closed.splice(0)) server.close();
});

async function start(prepare: (app: NestExpressApplication) => unknown): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(EnterModule, { logger, abortOnError: false });
  apps.push(app);
  prepare(app);
  await app.init();
  return app;
}

async function serve(app: NestExpressApplication, server: Server): Promise<(path: string) => Promise<Answer>> {
  closed.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return (path) => send(port, 'GET', path, { headers: { 'accept-encoding': 'gzip' } });
}

describe('on Express', () => {
  // before any other test: no response of this copy of Express has been sent yet
  it('the first response carries the cookie, behind a middleware that waits for the head as well', async () => {
    const app = await start((each) => each.use(compression()));
    const get = await serve(app, app.getHttpServer());
    for (const turn of ['the first', 'the second']) {
      const { setCookies, headers } = await get('/enter');
      expect([turn, setCookies.length, headers['cache-control'], headers['content-encoding']]).toEqual([
        turn,
        2,
        'no-store',
        'gzip',
      ]);
    }
  });

  it('an application that is mounted in another one writes its heads', async () => {
    const app = await start(() => undefined);
    const parent = (require('express') as () => Express)();
    parent.use('/bank', app.getHttpAdapter().getInstance());
    const get = await serve(app, createServer(parent));
    expect(await get('/bank/enter')).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
  });

  it('requests without the array of raw headers get a response, as bridges of other servers make them', async () => {
    const app = await start(() => undefined);
    const express = app.getHttpAdapter().getInstance();
    const bridge = createServer((request, response) => {
      Object.defineProperty(request, 'rawHeaders', { value: undefined });
      expect(request).toBeInstanceOf(IncomingMessage);
      express(request, response);
    });
    const get = await serve(app, bridge);
    expect(await get('/enter')).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect((await get('/enter')).setCookies).toHaveLength(2);
    expect((await get('/me')).status).toBe(401);
  });
});
