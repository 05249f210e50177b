import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { Redis } from 'ioredis';
import { ADAPTERS } from '../support/bank.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { ADA, logIn, startExample, type ExampleApp, type ExampleSetup } from '../support/example-app.js';
import type { Answer } from '../support/bank-client.js';

describe('the examples of the guides', () => {
  let running: ExampleApp | undefined;

  afterEach(() => running?.close());

  async function start(module: Type<object>, setup?: ExampleSetup): Promise<ExampleApp> {
    running = await startExample(module, setup);
    return running;
  }

  it('of events: a mail for a new device, and an alert of a session used after its end', async () => {
    const { AppModule } = await import('../../examples/events/app.module.js');
    const { Mailer } = await import('../../examples/events/mailer.js');
    const { SecurityAlerts } = await import('../../examples/events/security-alerts.js');
    const example = await start(AppModule);
    const { app } = example;
    const ada = example.client();
    expect((await logIn(ada)).status).toBe(200);
    const { cookie } = ada;
    await ada.post('/auth/logout');
    expect((await logIn(ada)).status).toBe(200);
    expect(app.get(Mailer, { strict: false }).sent).toEqual([expect.stringMatching(/^ada@example.com: New sign-in/)]);
    expect((await ada.get('/auth/session', { cookie })).status).toBe(401);
    expect(app.get(SecurityAlerts).alerts).toEqual(['session_use_after_expire ']);
  });

  it('of the login throttle: three failures, and a wait of five minutes', async () => {
    const { AppModule } = await import('../../examples/login-throttle/app.module.js');
    const ada = (await start(AppModule)).client();
    for (let i = 0; i < 3; i += 1) expect((await logIn(ada, { password: 'a guess' })).status).toBe(401);
    const refused = await logIn(ada);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '300']);
  });

  it('of OpenAPI: the ready-made endpoints beside the application’s own', async () => {
    const { AppModule } = await import('../../examples/quick-start/app.module.js');
    const { serveApiDocument } = await import('../../examples/openapi/api-document.js');
    const { json } = await (await start(AppModule, { set: serveApiDocument })).client().get('/api-json');
    expect(Object.keys((json as { paths: object }).paths)).toEqual(expect.arrayContaining(['/auth/login', '/notes']));
  });

  it('of remember-me: a remembered device is shown, may not pay, and is forgotten', async () => {
    const { AppModule } = await import('../../examples/remember-me/app.module.js');
    const ada = (await start(AppModule)).client();
    await logIn(ada, { rememberMe: true });
    expect((await ada.post('/payments')).status).toBe(201);
    ada.restart();
    const listed = await ada.get('/remembered-devices');
    expect(listed.json).toEqual([expect.objectContaining({ id: expect.any(String), userId: '1' })]);
    const { expiresAt, createdAt, id } = (listed.json as { expiresAt: string; createdAt: string; id: string }[])[0]!;
    expect(new Date(expiresAt).getTime() - new Date(createdAt).getTime()).toBe(60 * 24 * 60 * 60_000);
    const payment = await ada.post('/payments');
    expect([payment.status, payment.json]).toEqual([
      401,
      expect.objectContaining({ code: 'recent_authentication_required' }),
    ]);
    expect((await ada.ask('DELETE', '/remembered-devices/another')).status).toBe(404);
    expect((await ada.ask('DELETE', `/remembered-devices/${id}`)).status).toBe(204);
    ada.restart();
    expect((await ada.get('/remembered-devices')).status).toBe(401);
  });

  it.each(ADAPTERS)('of forms on %s: one with its field is taken, one without is not', async (adapter) => {
    const { AppModule } = await import('../../examples/csrf-forms/app.module.js');
    const ada = (await start(AppModule, { adapter })).client();
    await logIn(ada);
    const page = await ada.get('/transfer');
    expect(page.headers['content-type']).toContain('text/html');
    const [, name, value] = /<input type="hidden" name="(\w+)" value="([\w-]+)">/.exec(page.text)!;
    const send = (fields: Record<string, string>): Promise<Answer> =>
      ada.post('/transfer', new URLSearchParams(fields).toString(), {
        csrf: false,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    expect((await send({ amount: '25' })).status).toBe(403);
    expect(await send({ amount: '25', [name!]: value! })).toMatchObject({ status: 201, text: '25 sent' });
  });

  it.each(ADAPTERS)('of a login form on %s: in by a page, wrong, right, and out', async (adapter) => {
    const { AppModule } = await import('../../examples/login-form/app.module.js');
    const ada = (await start(AppModule, { adapter })).client();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
    const send = async (page: string, action: string, fields: Record<string, string>): Promise<Answer> => {
      const { text } = await ada.get(page);
      expect(text).toContain(`<form method="post" action="${action}">`);
      const csrf = /name="csrf_token" value="([^"]+)"/.exec(text)![1]!;
      const body = String(new URLSearchParams({ ...fields, csrf_token: csrf }));
      return ada.post(action, body, { csrf: false, headers });
    };
    const wrong = await send('/login', '/auth/login', { username: ADA.email, password: 'wrong' });
    expect([wrong.status, wrong.headers.location]).toEqual([303, '/login?error=invalid_credentials']);
    expect((await ada.get(wrong.headers.location!)).text).toContain('Name or password is wrong.');
    expect((await ada.get('/login?error=%3Cscript%3E')).text).toContain('<p role="alert">That did not work.');
    const fields = { username: ADA.email, password: ADA.password, rememberMe: 'on' };
    const right = await send('/login', '/auth/login', fields);
    expect([right.status, right.headers.location]).toEqual([303, '/account']);
    expect((await ada.get('/account')).text).toMatch(/Session \S+</);
    const out = await send('/account', '/auth/logout', {});
    expect([out.status, out.headers.location]).toEqual([303, '/login']);
    expect((await ada.get('/account')).status).toBe(401);
  });

  it('of ConfigService: the secret of .env', async () => {
    const here = process.cwd();
    const { SESSION_SECRET } = process.env;
    const folder = await mkdtemp(join(tmpdir(), 'env-'));
    await writeFile(join(folder, '.env'), 'SESSION_SECRET=the secret of the file, 32 bytes or more\n');
    delete process.env['SESSION_SECRET'];
    process.chdir(folder);
    try {
      const { AppModule } = await import('../../examples/config-service/app.module.js');
      const ada = (await start(AppModule)).client();
      expect((await logIn(ada)).status).toBe(200);
      expect((await ada.get('/auth/session')).status).toBe(200);
      expect(process.env['SESSION_SECRET']).toContain('of the file');
    } finally {
      process.chdir(here);
      process.env['SESSION_SECRET'] = SESSION_SECRET;
      await rm(folder, { recursive: true });
    }
  });

  it.each([
    ['1', ['session', 'session-csrf', 'session-device', 'session-remember'], false],
    [undefined, ['__Host-session', '__Host-session-csrf', '__Host-session-device', '__Host-session-remember'], true],
  ])('of development without TLS: no cookie is Secure with %s', async (value, names, isSecure) => {
    const { AppModule } = await import('../../examples/without-tls/app.module.js');
    if (value !== undefined) process.env['DEV_WITHOUT_TLS'] = value;
    try {
      const ada = (await start(AppModule)).client();
      const lines = [
        ...(await ada.get('/auth/csrf')).setCookies,
        ...(await logIn(ada, { rememberMe: true })).setCookies,
      ];
      const set = lines.filter((line) => !/Max-Age=0/i.test(line));
      expect([...new Set(set.map((line) => line.split('=')[0]))].sort()).toEqual(names);
      for (const line of set) expect([line, /; Secure/i.test(line)]).toEqual([line, isSecure]);
      expect((await ada.get('/auth/session')).status).toBe(200);
    } finally {
      delete process.env['DEV_WITHOUT_TLS'];
    }
  });

  it('of limits: an admin in one place only, where the second login is refused', async () => {
    const { AppModule } = await import('../../examples/limits/app.module.js');
    const { signInAs } = await import('nestjs-session-auth/testing');
    const example = await start(AppModule);
    const { app } = example;
    const admin = { id: 'root', roles: ['admin'] };
    await signInAs(app, admin);
    await expect(signInAs(app, admin)).rejects.toMatchObject({ code: 'session_limit_reached' });
    const signedIn = [];
    for (let i = 0; i < 6; i += 1) signedIn.push(await signInAs(app, 'ada@example.com'));
    const { json } = await example.client().get('/auth/sessions', { cookie: signedIn[5]!.cookie });
    expect(json).toHaveLength(5);
  });

  it('of errors: a person is sent to the login page, a program gets the code', async () => {
    const { AppModule } = await import('../../examples/errors/app.module.js');
    const visitor = (await start(AppModule)).client();
    const page = await visitor.get('/notes', { headers: { accept: 'text/html,*/*' } });
    expect([page.status, page.headers.location]).toEqual([303, '/login']);
    expect(await visitor.get('/notes')).toMatchObject({ status: 401, json: { code: 'session_required' } });
    const login = await visitor.post('/auth/login', {}, { headers: { accept: 'text/html' } });
    expect(login).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
  });

  it('of options from ConfigService: secrets, lifetimes and limit, and the client of another module', async () => {
    process.env['SESSION_SECRETS'] = [
      'the newest secret of 32 bytes or more',
      'the one before it of 32 bytes or more',
    ].join();
    process.env['REDIS_URL'] = process.env['TEST_REDIS_URL'];
    const { AppModule } = await import('../../examples/async-options/app.module.js');
    const example = await start(AppModule);
    const client = example.app.get(Redis, { strict: false });
    try {
      const devices = Array.from({ length: 6 }, () => example.client());
      for (const device of devices) expect((await logIn(device)).status).toBe(200);
      const lives = await Promise.all(devices.map(async (device) => (await device.get('/auth/session')).status));
      expect(lives.toSorted()).toEqual([200, 200, 200, 200, 200, 401]);
      const { json } = await devices[5]!.get('/auth/session');
      const { createdAt, expiresAt, absoluteExpiresAt } = json as Record<string, string>;
      const until = (time: string | undefined): number => Date.parse(time!) - Date.parse(createdAt!);
      expect([until(expiresAt), until(absoluteExpiresAt)]).toEqual([30 * 60_000, 12 * 60 * 60_000]);
      expect((await devices[5]!.ask('DELETE', '/auth/sessions?include=current')).json).toEqual({ revoked: 5 });
    } finally {
      await client.quit();
    }
  });

  it('of a Redis client that is back soon after an outage', async () => {
    process.env['REDIS_URL'] = process.env['TEST_REDIS_URL'];
    const { client } = await import('../../examples/redis-outage/redis-client.js');
    try {
      expect(await client.ping()).toBe('PONG');
      const back = once(client, 'ready');
      client.disconnect(true);
      await back;
      expect(await client.ping()).toBe('PONG');
    } finally {
      await client.quit();
    }
  });

  it('of a client of redis', async () => {
    process.env['REDIS_URL'] = process.env['TEST_REDIS_URL'];
    const { AppModule, client } = await import('../../examples/redis-node-redis/app.module.js');
    try {
      const visitor = (await start(AppModule)).client();
      expect((await logIn(visitor)).status).toBe(200);
      expect((await visitor.get('/auth/session')).status).toBe(200);
    } finally {
      client.destroy();
    }
  });

  it('of a near-cache', async () => {
    process.env['REDIS_URL'] = process.env['TEST_REDIS_URL'];
    const { AppModule, client } = await import('../../examples/near-cache/app.module.js');
    try {
      const running = await start(AppModule);
      const [ada, elsewhere] = [running.client(), running.client()];
      await logIn(ada);
      for (const [name, value] of ada.cookies) elsewhere.cookies.set(name, value);
      for (let request = 0; request < 3; request += 1) {
        expect((await elsewhere.get('/auth/session')).status).toBe(200);
      }
      await ada.post('/auth/logout');
      expect((await elsewhere.get('/auth/session')).status).toBe(401);
    } finally {
      client.disconnect();
    }
  });

  it('of a client of redis that is back soon after an outage, also of a server that goes silent', async () => {
    const { createSturdyClient } = await import('../../examples/redis-outage/node-redis-client.js');
    const url = process.env['TEST_REDIS_URL']!;
    const proxy = await FaultProxy.start(Number(new URL(url).port));
    const client = createSturdyClient(proxy.through(url), () => undefined);
    try {
      await client.connect();
      expect(await client.ping()).toBe('PONG');
      for (const begin of [() => proxy.reset(), () => proxy.cutSilently()]) {
        const back = new Promise((resolve) => client.once('ready', resolve));
        begin();
        await back;
        expect(await client.ping()).toBe('PONG');
      }
    } finally {
      client.destroy();
      await proxy.close();
    }
  });

  it('of the health of the store', async () => {
    const { AppModule } = await import('../../examples/health/app.module.js');
    const { status, json } = await (await start(AppModule)).client().get('/health');
    expect([status, json]).toMatchObject([200, { status: 'ok', info: { sessions: { status: 'up' } } }]);
  });
});
