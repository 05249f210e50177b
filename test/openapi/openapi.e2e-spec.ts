import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { HTTP_STATUS_BY_CODE } from '../../libs/session-auth/src/errors/error-codes.js';
import { ADAPTERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { BankClient, type Answer, type Ask } from '../support/bank-client.js';
import { answersAgainst, expectValid, operationsOf, type DocumentedOperation } from '../support/openapi-answers.js';
import { PATIENCE } from '../support/patience.js';
import { buildDemo } from '../support/build.js';
import { startDemo } from '../support/demo-process.js';
import { enterOffice } from '../support/office.js';
import * as door from '../support/door-app.js';

const USERS = { imports: [door.UsersModule], users: { useExisting: door.Users } };
const UNSAFE = ['post', 'put', 'patch', 'delete'];

async function documentOf(app: Bank['app']): Promise<OpenAPIObject> {
  const config = new DocumentBuilder().setTitle('Doors').addCookieAuth('__Host-session').build();
  const document = SwaggerModule.createDocument(app, config);
  await expectValid(document);
  return document;
}

const endpointsOf = (document: OpenAPIObject, path = '/auth/'): DocumentedOperation[] =>
  operationsOf(document).filter((operation) => operation.path.startsWith(path));

describe.each(ADAPTERS)('the OpenAPI document of the endpoints on %s', (adapter) => {
  let backend: Backend;
  let bank: Bank;
  let document: OpenAPIObject;

  beforeAll(async () => {
    backend = await openBackend('memory');
    bank = await startBank({ adapter, backend, options: { loginThrottle: { client: { failures: 2 } } } });
    document = await documentOf(bank.app);
  });

  afterAll(async () => {
    await bank.close();
    await backend.close();
  });

  it('has every endpoint, each with its requirements', () => {
    const endpoints = endpointsOf(document);
    expect(endpoints.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      'delete /auth/sessions',
      'delete /auth/sessions/{id}',
      'get /auth/csrf',
      'get /auth/session',
      'get /auth/sessions',
      'post /auth/login',
      'post /auth/logout',
      'post /auth/reauthenticate',
    ]);
    const open = ['/auth/csrf', '/auth/login', '/auth/logout'];
    for (const { method, path, operation } of endpoints) {
      expect(operation).toMatchObject({ tags: ['Session'], operationId: expect.stringMatching(/^SessionAuth_\w+$/) });
      expect(operation.security ?? []).toEqual(open.includes(path) ? [] : [{ cookie: [] }]);
      const header = { in: 'header', name: 'x-csrf-token', required: true };
      const parameters = operation.parameters ?? [];
      expect(parameters.filter((each) => 'in' in each && each.in === 'header')).toEqual(
        UNSAFE.includes(method) ? [expect.objectContaining(header)] : [],
      );
    }
  });

  it('names each code of each refusal under its status, and Retry-After where there is one', () => {
    for (const { operation } of endpointsOf(document)) {
      for (const [status, response] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue;
        const { description, headers } = response as { description: string; headers?: object };
        const codes = description.split(' or ').map((code) => code.replaceAll('`', ''));
        for (const code of codes) expect(HTTP_STATUS_BY_CODE[code as 'forbidden']).toBe(Number(status));
        expect(Object.keys(headers ?? {})).toEqual(['429', '503'].includes(status) ? ['Retry-After'] : []);
      }
    }
  });

  it('describes their responses, refusals included', async () => {
    const check = answersAgainst(document);
    const ask = async (client: BankClient, method: string, path: string, how?: Ask): Promise<Answer> => {
      const answer = await client.ask(method, path, how);
      check(method, path.replace(/(sessions)\/.+/, '$1/{id}').replace(/\?.*/, ''), answer);
      return answer;
    };
    const [alice, elsewhere] = [bank.client(), bank.client()];
    const credentials = { email: 'alice@example.com', password: 'alice-demo-password' };
    const login = async (client: BankClient, how: Ask = {}): Promise<number> =>
      (await ask(client, 'POST', '/auth/login', { body: credentials, ...how })).status;

    await ask(alice, 'GET', '/auth/csrf');
    expect((await ask(alice, 'GET', '/auth/session')).status).toBe(401);
    expect(await login(alice, { csrf: false })).toBe(403);
    expect(await login(alice, { body: {} })).toBe(400);
    expect(await login(alice, { body: { ...credentials, password: 'wrong' } })).toBe(401);
    expect([await login(alice), await login(elsewhere)]).toEqual([200, 200]);
    expect((await ask(alice, 'GET', '/auth/session')).status).toBe(200);
    const { json } = await ask(alice, 'GET', '/auth/sessions');
    const other = (json as { id: string; current: boolean }[]).find(({ current }) => !current)!;
    expect((await ask(alice, 'DELETE', `/auth/sessions/${other.id}`)).status).toBe(204);
    expect((await ask(alice, 'DELETE', `/auth/sessions/${other.id}`)).status).toBe(404);
    expect((await ask(alice, 'DELETE', '/auth/sessions?include=all')).status).toBe(400);
    expect((await ask(alice, 'DELETE', '/auth/sessions')).status).toBe(200);
    const { password } = credentials;
    expect((await ask(alice, 'POST', '/auth/reauthenticate', { body: { password } })).status).toBe(200);
    const guess = (): Promise<Answer> => ask(alice, 'POST', '/auth/reauthenticate', { body: { password: 'wrong' } });
    expect([(await guess()).status, (await guess()).status, (await guess()).status]).toEqual([401, 401, 429]);
    expect((await ask(alice, 'POST', '/auth/logout')).status).toBe(204);
  });
});

describe('the OpenAPI document', () => {
  afterEach(door.closeApps);

  it('follows path and CSRF header of the application, also when another one has booted before', async () => {
    for (const header of ['x-first', 'x-second']) {
      await door.start(door.forRoot({ ...USERS, endpoints: { path: 'api/door' }, csrf: { header } }));
      const document = await documentOf(door.apps.at(-1)!);
      const endpoints = endpointsOf(document, '/api/door/');
      const login = endpoints.find(({ path }) => path === '/api/door/login')!.operation;
      expect(login.parameters).toEqual([expect.objectContaining({ in: 'header', name: header })]);
      expect(login.responses['403']).toMatchObject({ description: '`csrf_failed`' });
    }
  });

  it('has the field of the login name, and where forms lead', async () => {
    const endpoints = { loginField: 'username', redirects: { loginFailed: '/login' } };
    await door.start(door.forRoot({ ...USERS, endpoints }));
    const document = await documentOf(door.apps.at(-1)!);
    const { login, reauthenticate } = Object.fromEntries(
      endpointsOf(document).map(({ path, operation }) => [path.replace('/auth/', ''), operation]),
    );
    const schema = { $ref: '#/components/schemas/SessionAuthLoginBy_username' };
    expect(login!.requestBody).toMatchObject({
      content: { 'application/json': { schema }, 'application/x-www-form-urlencoded': { schema } },
    });
    expect(document.components!.schemas!['SessionAuthLoginBy_username']).toMatchObject({
      required: ['username', 'password'],
    });
    expect(login!.responses['303']).toBeDefined();
    expect(reauthenticate!.responses['303']).toBeUndefined();
  });

  it('has those that endpoints.except leaves', async () => {
    await door.start(door.forRoot({ ...USERS, endpoints: { except: ['login', 'revoke'] } }));
    const paths = endpointsOf(await documentOf(door.apps.at(-1)!)).map(({ method, path }) => `${method} ${path}`);
    expect(paths).toContain('delete /auth/sessions');
    expect(paths).toHaveLength(6);
    expect(paths.join()).not.toMatch(/login|\{id\}/);
  });

  it('has no endpoint that is off', async () => {
    await door.start(door.forRoot({ ...USERS, endpoints: false }));
    const document = await documentOf(door.apps.at(-1)!);
    expect(Object.keys(document.paths)).toContain('/guarded');
    expect(JSON.stringify(document)).not.toContain('SessionAuth');
  });
});

describe.each(ADAPTERS)('the demo on %s', (adapter) => {
  beforeAll(buildDemo, PATIENCE);

  it('serves its document as a page and as JSON, with its own API in it', async () => {
    const demo = await startDemo({ HTTP_ADAPTER: adapter });
    try {
      const alice = new BankClient(demo.port);
      const page = await alice.get('/api/docs');
      expect([page.status, page.headers['content-type']]).toEqual([200, expect.stringContaining('text/html')]);
      const script = /src="([^"]*swagger-ui-bundle\.js)"/.exec(page.text)![1]!;
      const loaded = await alice.get(new URL(script, 'http://localhost/api/docs').pathname);
      expect([loaded.status, loaded.headers['content-type']]).toEqual([200, expect.stringContaining('javascript')]);

      const document = (await alice.get('/api/docs-json')).json as OpenAPIObject;
      await expectValid(document);
      expect(document.components!.securitySchemes).toEqual({
        cookie: { type: 'apiKey', in: 'cookie', name: '__Host-session' },
        'office-cookie': { type: 'apiKey', in: 'cookie', name: '__Host-office-session' },
      });
      const own = endpointsOf(document, '/api/');
      expect(own.map(({ method, path }) => `${method} ${path}`)).toEqual(
        expect.arrayContaining(['get /api/me', 'post /api/transfer', 'patch /api/preferences']),
      );
      for (const { operation, path } of own) {
        expect({ path, security: operation.security }).toEqual({ path, security: [{ cookie: [] }] });
        expect(Object.keys(operation.responses)).toContain('401');
      }
      expect(endpointsOf(document)).toHaveLength(8);
      const office = operationsOf(document).filter(({ path }) => /^\/office(?!\/auth\/)/.test(path));
      expect(office.map(({ method, path, operation }) => [method, path, operation.security])).toEqual([
        ['get', '/office/api/customers', [{ 'office-cookie': [] }]],
      ]);

      const check = answersAgainst(document);
      const ask = async (method: string, path: string, body?: object, csrf?: false): Promise<void> =>
        check(method, path, await alice.ask(method, path, { body, csrf }));
      await ask('GET', '/api/me');
      await alice.login('alice');
      await ask('GET', '/api/me');
      await ask('POST', '/api/transfer', { to: 'bob', amount: 1 });
      await ask('POST', '/api/transfer', { to: 'bob', amount: 1 }, false);
      await ask('PATCH', '/api/preferences', { theme: 'dark' });
      await ask('GET', '/api/admin/sessions');
      await alice.login('admin');
      await ask('GET', '/api/admin/sessions');
      await ask('GET', '/office/api/customers');
      await enterOffice(alice);
      await ask('GET', '/office/api/customers');
    } finally {
      expect(await demo.stop()).toBe(0);
    }
  });
});
