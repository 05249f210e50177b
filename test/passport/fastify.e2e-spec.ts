import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Req, Res, UseGuards } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyReply } from 'fastify';
import { promisify } from 'node:util';
import { Strategy } from 'passport-oauth2';
import { SessionStateStore } from 'nestjs-session-auth/passport';
import { ProviderGuard } from '../../examples/passport/fastify-guard.js';
import { AuthorizationServer } from '../support/authorization-server.js';
import { closeApps } from '../support/door-app.js';
import { PEOPLE, startPassport, type Asked } from '../support/passport-app.js';

describe('passport-oauth2 on Fastify', () => {
  afterEach(closeApps);

  it('signs in with state and PKCE by SessionStateStore, and refuses another browser', async () => {
    const provider = await AuthorizationServer.start();

    @Injectable()
    class Provider extends PassportStrategy(Strategy, 'provider') {
      constructor(store: SessionStateStore) {
        super({
          authorizationURL: `${provider.origin}/authorize`,
          tokenURL: `${provider.origin}/token`,
          clientID: 'the-client',
          clientSecret: 'a secret',
          callbackURL: 'https://app.example/oauth/callback',
          pkce: true,
          state: true,
          store,
        });
      }

      validate(): object {
        return PEOPLE['alice']!;
      }
    }

    @UseGuards(ProviderGuard)
    @Controller('oauth')
    class OAuthController {
      @Get('login')
      login(): void {
        // the guard leads to the provider
      }

      @Get('callback')
      async callback(@Req() request: Asked, @Res() reply: FastifyReply): Promise<void> {
        const { user } = request;
        await promisify((done: (error?: unknown) => void) => request.logIn(user!, done))();
        await reply.redirect('/', 302);
      }
    }

    const { client } = await startPassport({
      adapter: 'fastify',
      module: { controllers: [OAuthController], providers: [Provider] },
    });
    const browser = client();
    const { status, headers } = await browser.get('/oauth/login');
    expect(status).toBe(302);
    const back = await provider.visit(headers.location!);
    expect((await client().get(back)).status).toBe(401);
    expect((await browser.get(back)).status).toBe(302);
    expect((await browser.get('/plain/guarded/user')).json).toMatchObject({ user: { id: 'alice' } });
    await provider.close();
  });
});
