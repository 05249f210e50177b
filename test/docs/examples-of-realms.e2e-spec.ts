import { afterEach, describe, expect, it } from '@jest/globals';
import { signInAs } from 'nestjs-session-auth/testing';
import { AppModule } from '../../examples/realms/app.module.js';
import { send } from '../support/bank-client.js';
import { startExample, type ExampleApp } from '../support/example-app.js';

describe('the example of realms', () => {
  let running: ExampleApp | undefined;

  afterEach(() => running?.close());

  it('has an office for staff, and a help page for either', async () => {
    running = await startExample(AppModule);
    const { app, port } = running;
    const [customer, clerk] = [
      await signInAs(app, 'ada@example.com'),
      await signInAs(app, { id: '1' }, { realm: 'staff' }),
    ];
    expect((await send(port, 'GET', '/office', { cookie: customer.cookie })).status).toBe(401);
    const office = await send(port, 'GET', '/office', { cookie: clerk.cookie });
    expect(office.json).toEqual({ realm: 'staff', devices: 1 });
    for (const [{ cookie }, realm] of [
      [customer, 'default'],
      [clerk, 'staff'],
    ] as const) {
      expect((await send(port, 'GET', '/office/help', { cookie })).json).toEqual({ for: realm });
    }
    for (const path of ['/auth/csrf', '/staff/auth/csrf']) expect((await send(port, 'GET', path)).status).toBe(200);
  });
});
