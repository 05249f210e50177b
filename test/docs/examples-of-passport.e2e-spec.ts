import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { AuthorizationServer } from '../support/authorization-server.js';
import type { BankClient } from '../support/bank-client.js';
import { ADA, startExample, type ExampleApp } from '../support/example-app.js';

describe('the example of passport', () => {
  let provider: AuthorizationServer;
  let running: ExampleApp;
  let browser: BankClient;

  beforeAll(async () => {
    provider = await AuthorizationServer.start();
    provider.user = '1';
    // read when the example is imported
    process.env['PROVIDER_URL'] = provider.origin;
  });
  afterAll(() => provider.close());
  beforeEach(async () => {
    const { AppModule } = await import('../../examples/passport/app.module.js');
    running = await startExample(AppModule);
    browser = running.client();
  });
  afterEach(() => running.close());

  it('signs in by passport-local, with a message of connect-flash where that fails', async () => {
    const wrong = await browser.post('/login', { ...ADA, password: 'wrong' });
    expect([wrong.status, wrong.headers.location]).toEqual([302, '/login']);
    expect((await browser.get('/me')).status).toBe(401);
    expect((await browser.get('/login')).json).toEqual({ messages: ['Wrong e-mail or password'] });
    expect((await browser.get('/login')).json).toEqual({ messages: [] });
    expect((await browser.post('/login', ADA)).headers.location).toBe('/me');
    expect((await browser.get('/me')).json).toEqual({ id: '1', email: ADA.email });
    expect((await browser.post('/login', ADA, { csrf: false })).status).toBe(403);
  });

  it('signs in by passport-oauth2 with state and PKCE', async () => {
    const left = await browser.get('/login/provider');
    const asked = new URL(left.headers.location!);
    expect(asked.searchParams.get('code_challenge_method')).toBe('S256');
    const back = await browser.get(await provider.visit(asked.href));
    expect([back.status, back.headers.location]).toEqual([302, '/me']);
    expect(provider.redeemed.at(-1)!.get('code_verifier')).toMatch(/^[\w-]{43}$/);
    expect((await browser.get('/me')).json).toEqual({ id: '1', email: ADA.email });
    const foreign = await running
      .client()
      .get(await provider.visit((await browser.get('/login/provider')).headers.location!));
    expect(foreign.status).toBe(401);
  });

  it('shows req.user to foreign middleware, and nobody after the logout', async () => {
    expect((await browser.get('/login')).headers['x-visitor']).toBe('nobody');
    await browser.post('/login', ADA);
    expect((await browser.get('/me')).headers['x-visitor']).toBe('1');
    const { cookie } = browser;
    expect((await browser.post('/logout')).headers.location).toBe('/login');
    expect(await browser.get('/login')).toMatchObject({
      headers: { 'x-visitor': 'nobody' },
      json: { messages: ['Signed out'] },
    });
    expect((await running.client().get('/me', { cookie })).status).toBe(401);
  });

  it('has no express-session', () => {
    const sources = readdirSync('examples/passport').map((name) => readFileSync(`examples/passport/${name}`, 'utf8'));
    expect(sources.join()).not.toContain('express-session');
    expect(existsSync('examples/passport/app.module.ts')).toBe(true);
  });
});
