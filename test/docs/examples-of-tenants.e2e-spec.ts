import { afterEach, describe, expect, it } from '@jest/globals';
import { signInAs } from 'nestjs-session-auth/testing';
import { AppModule as InTheSession } from '../../examples/tenants/in-the-session.module.js';
import { MembersService } from '../../examples/tenants/members.service.js';
import { AppModule as RealmEach } from '../../examples/tenants/realm-each.module.js';
import type { HttpAdapterName } from '../../src/config/bank-config.js';
import { send, type Answer } from '../support/bank-client.js';
import { startExample, type ExampleApp } from '../support/example-app.js';
import { ADAPTERS } from '../support/http-server.js';

describe.each(ADAPTERS)('the examples of tenants on %s', (adapter: HttpAdapterName) => {
  let running: ExampleApp | undefined;

  afterEach(() => running?.close());

  const get = (path: string, cookie?: string): Promise<Answer> => send(running!.port, 'GET', path, { cookie });

  it('by a guard: members only; a removed member is refused at the next request; others learn nothing of a tenant', async () => {
    const { app } = (running = await startExample(InTheSession, { adapter }));
    const [ada, bob] = [await signInAs(app, 'ada@example.com'), await signInAs(app, 'bob@example.com')];
    const statuses = async (tenant: string): Promise<number[]> =>
      Promise.all(
        [ada.cookie, bob.cookie, undefined].map(
          async (cookie) => (await get(`/tenants/${tenant}/invoices`, cookie)).status,
        ),
      );
    expect(await statuses('acme')).toEqual([200, 404, 401]);
    expect(await statuses('globex')).toEqual([200, 200, 401]);
    expect(await statuses('nobody')).toEqual([404, 404, 401]);
    expect((await get('/tenants/acme/invoices', ada.cookie)).json).toEqual({ invoicesOf: 'acme' });

    await app.get(MembersService).remove('acme', 'ada');
    expect(await statuses('acme')).toEqual([404, 404, 401]);
    expect(await statuses('globex')).toEqual([200, 200, 401]);
  });

  it('by a realm each: a session of one tenant is invalid for another, even with the same user id', async () => {
    const { app } = (running = await startExample(RealmEach, { adapter }));
    const [acme, globex] = [
      await signInAs(app, 'ada@example.com', { realm: 'acme' }),
      await signInAs(app, 'ada@example.com', { realm: 'globex' }),
    ];
    for (const [tenant, cookie, status] of [
      ['acme', acme.cookie, 200],
      ['acme', globex.cookie, 401],
      ['globex', globex.cookie, 200],
      ['globex', acme.cookie, 401],
    ] as const) {
      const answer = await get(`/${tenant}/invoices`, cookie);
      expect([tenant, answer.status]).toEqual([tenant, status]);
      if (status === 200) expect(answer.json).toEqual({ invoicesOf: tenant });
    }
    for (const path of ['/acme/auth/csrf', '/globex/auth/csrf']) expect((await get(path)).status).toBe(200);
  });
});
