import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Public } from 'nestjs-session-auth';
import { send } from '../support/bank-client.js';
import { ADAPTERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

@Controller('open')
class OpenController {
  @Public()
  @Get()
  open(): { open: boolean } {
    return { open: true };
  }
}

/** Spellings of a path by which middleware bound to routes has been bypassed. */
const VARIANTS = [
  '/api/me',
  '/api/me/',
  '//api/me',
  '/api//me',
  '///api///me//',
  '/API/ME',
  '/api/Me',
  '/api/%6d%65',
  '/%61pi/me',
  '/api%2fme',
  '/api/me%2f',
  '/api/me;',
  '/api/me;x=1',
  '/api;x=1/me',
  '/api/me?',
  '/api/me?x=/open',
  '/api/me#/open',
  '/open/../api/me',
  '/open/%2e%2e/api/me',
  '/open;/../api/me',
  '/./api/./me',
  '/api/me%00',
  '/api/me%20',
  '/api/me.json',
  '/api/me..;/',
  '/api/me%23',
  '/api/me%3f',
  'http://127.0.0.1/api/me',
];

describe.each(ADAPTERS)('no spelling of a path gets around the guards on %s', (adapter) => {
  let backend: Backend;
  const banks: Bank[] = [];

  beforeAll(async () => {
    backend = await openBackend('memory');
    banks.push(
      await startBank({ adapter, backend, module: { controllers: [OpenController] } }),
      await startBank({ adapter, backend, module: { controllers: [OpenController] }, options: { global: true } }),
    );
  });

  afterAll(async () => {
    for (const bank of banks) await bank.close();
    await backend.close();
  });

  it.each(VARIANTS)('%s', async (path) => {
    for (const bank of banks) {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        const answer = await send(bank.port, method, path, {
          headers: { 'x-original-url': '/open', 'x-rewrite-url': '/open', 'x-http-method-override': 'OPTIONS' },
        });
        expect(answer.text).not.toContain('userId');
        expect([400, 401, 404]).toContain(answer.status);
      }
    }
  });

  it('and the plain spelling is served to who is signed in, by GET and HEAD', async () => {
    for (const bank of banks) {
      const alice = bank.client();
      await alice.login('alice');
      expect((await alice.get('/api/me')).status).toBe(200);
      expect((await alice.ask('HEAD', '/api/me')).status).toBe(200);
      expect((await bank.client().ask('HEAD', '/api/me')).status).toBe(401);
    }
  });

  it('with global: true every route asks for a session but the open ones', async () => {
    const [, closed] = banks as [Bank, Bank];
    const visitor = closed.client();
    expect((await visitor.get('/open')).json).toEqual({ open: true });
    expect((await visitor.get('/health')).status).toBe(200);
    expect((await visitor.get('/auth/session')).status).toBe(401);
    expect((await visitor.tryLogin('alice')).status).toBe(200);
  });
});
