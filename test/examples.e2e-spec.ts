import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { BankClient, type Answer } from './support/bank-client.js';

const PASSWORD = 'correct horse battery staple';

describe('the examples of the guides', () => {
  let app: INestApplication | undefined;

  afterEach(() => app?.close());

  async function start(module: new () => object, set?: (app: INestApplication) => void): Promise<BankClient> {
    const testing = await Test.createTestingModule({ imports: [module] }).compile();
    testing.useLogger(false);
    app = testing.createNestApplication();
    set?.(app);
    await app.listen(0, '127.0.0.1');
    return new BankClient(((app.getHttpServer() as Server).address() as AddressInfo).port);
  }

  const login = (client: BankClient, password = PASSWORD): Promise<Answer> =>
    client.post('/auth/login', { email: 'ada@example.com', password });

  it('of events: a mail for a new device, and an alert of a session used after its end', async () => {
    const { AppModule } = await import('../examples/events/app.module.js');
    const { Mailer } = await import('../examples/events/mailer.js');
    const { SecurityAlerts } = await import('../examples/events/security-alerts.js');
    const ada = await start(AppModule);
    expect((await login(ada)).status).toBe(200);
    const { cookie } = ada;
    await ada.post('/auth/logout');
    expect((await login(ada)).status).toBe(200);
    expect(app!.get(Mailer, { strict: false }).sent).toEqual([expect.stringMatching(/^ada@example.com: New sign-in/)]);
    expect((await ada.get('/auth/session', { cookie })).status).toBe(401);
    expect(app!.get(SecurityAlerts).alerts).toEqual(['session_use_after_expire ']);
  });

  it('of the login throttle: three failures, and a wait of five minutes', async () => {
    const { AppModule } = await import('../examples/login-throttle/app.module.js');
    const ada = await start(AppModule);
    for (let i = 0; i < 3; i += 1) expect((await login(ada, 'a guess')).status).toBe(401);
    const refused = await login(ada);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '300']);
  });

  it('of OpenAPI: the ready-made endpoints beside the application’s own', async () => {
    const { AppModule } = await import('../examples/quick-start/app.module.js');
    const { serveApiDocument } = await import('../examples/openapi/api-document.js');
    const client = await start(AppModule, serveApiDocument);
    const { json } = await client.get('/api-json');
    expect(Object.keys((json as { paths: object }).paths)).toEqual(expect.arrayContaining(['/auth/login', '/notes']));
  });

  it('of the health of the store', async () => {
    const { AppModule } = await import('../examples/health/app.module.js');
    const { status, json } = await (await start(AppModule)).get('/health');
    expect([status, json]).toMatchObject([200, { status: 'ok', info: { sessions: { status: 'up' } } }]);
  });
});
