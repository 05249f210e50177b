import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { documentOfRealms, HelpController } from '../../examples/openapi/realms-document.js';
import { SERVERS } from '../support/bank.js';
import { apps, closeApps, forRoot, start, Users } from '../support/door-app.js';
import type { BankClient } from '../support/bank-client.js';
import { answersAgainst, expectValid, operationsOf, type DocumentedOperation } from '../support/openapi-answers.js';

const users = { useClass: Users };
const REALMS = [
  { realm: 'default', path: '/auth', scheme: 'cookie', id: 'SessionAuth', tag: 'Session', header: 'x-csrf-token' },
  {
    realm: 'staff',
    path: '/staff/auth',
    scheme: 'staff-cookie',
    id: 'SessionAuth_staff',
    tag: 'Session (staff)',
    header: 'x-staff',
  },
] as const;
const NEED_SESSION = ['session', 'sessions', 'revoke', 'revokeAll', 'reauthenticate'];
const NEED_TOKEN = ['login', 'logout', 'revoke', 'revokeAll', 'reauthenticate'];

describe.each(SERVERS)('the OpenAPI document of two realms on %s', (adapter) => {
  let client: BankClient;
  let document: OpenAPIObject;

  beforeAll(async () => {
    const staff = forRoot({ realm: 'staff', users, csrf: { header: 'x-staff' } });
    client = await start(forRoot({ users }), {
      adapter,
      module: { imports: [staff], controllers: [HelpController] },
    });
    document = documentOfRealms(apps.at(-1)!);
  });
  afterAll(closeApps);

  const endpointsAt = (path: string): DocumentedOperation[] =>
    operationsOf(document).filter((operation) => operation.path.startsWith(`${path}/`));

  it('is valid, and has no two operations of one id', async () => {
    await expectValid(document);
    const ids = operationsOf(document).map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(REALMS)('has the endpoints of $realm with its cookie, CSRF header, ids and tag', (expected) => {
    const endpoints = endpointsAt(expected.path);
    expect(endpoints).toHaveLength(8);
    for (const { operation } of endpoints) {
      const [prefix, name] = [`${expected.id}_`, operation.operationId!.split('_').at(-1)!];
      expect(operation.operationId).toBe(prefix + name);
      expect(operation.tags).toEqual([expected.tag]);
      expect(operation.security).toEqual(NEED_SESSION.includes(name) ? [{ [expected.scheme]: [] }] : undefined);
      const headers = (operation.parameters ?? []).filter((each) => 'in' in each && each.in === 'header');
      expect(headers.map((each) => 'name' in each && each.name)).toEqual(
        NEED_TOKEN.includes(name) ? [expected.header] : [],
      );
    }
  });

  it.each(REALMS)('says the realm $realm in what its endpoints answer', async ({ realm, path }) => {
    const check = answersAgainst(document);
    const session = await client.get(`${path}/session`);
    check('GET', `${path}/session`, session);
    expect(session).toMatchObject({ status: 401, json: { realm } });
    const login = await client.post(`${path}/login`, {}, { csrf: false });
    check('POST', `${path}/login`, login);
    expect(login).toMatchObject({ status: 403, json: { realm } });
    const other = { ...login, json: { ...(login.json as object), realm: 'another' } };
    expect(() => check('POST', `${path}/login`, other)).toThrow();
  });

  it('has the cookies of both realms as alternatives on a route of either', async () => {
    const help = operationsOf(document).find(({ path }) => path === '/help')!.operation;
    expect(help.security).toHaveLength(2);
    expect(help.security).toEqual(expect.arrayContaining([{ cookie: [] }, { 'staff-cookie': [] }]));
    await client.get('/enter');
    expect((await client.get('/help')).json).toEqual({ for: 'default' });
    expect(Object.keys(document.components!.securitySchemes!)).toEqual(['cookie', 'staff-cookie']);
  });
});
