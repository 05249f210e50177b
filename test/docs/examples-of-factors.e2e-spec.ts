import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { signInAs } from 'nestjs-session-auth/testing';
import { OneTimeCodes } from '../../examples/further-factors/one-time-codes.js';
import { PayeesController } from '../../examples/further-factors/payees.controller.js';
import { SecondFactorController } from '../../examples/further-factors/second-factor.controller.js';
import { AppModule as Notes } from '../../examples/quick-start/app.module.js';
import { logIn, startExample, type ExampleApp } from '../support/example-app.js';

/** One code, good once. */
@Injectable()
class TestCodes extends OneTimeCodes {
  readonly #codes = new Set(['1: 123456']);

  accept(userId: string, code: string): Promise<boolean> {
    return Promise.resolve(this.#codes.delete(`${userId}: ${code}`));
  }
}

describe('the examples of further factors', () => {
  let running: ExampleApp | undefined;
  const beside = {
    controllers: [SecondFactorController, PayeesController],
    providers: [{ provide: OneTimeCodes, useClass: TestCodes }],
  };

  afterEach(() => running?.close());

  it('a code opens what asks for it, and the client has a CSRF token to go on with', async () => {
    running = await startExample(Notes, { beside });
    const ada = running.client();
    await logIn(ada);
    const refused = await ada.post('/payees', { name: 'bob' });
    // the guide shows this answer
    expect([refused.status, refused.json]).toEqual([
      401,
      {
        statusCode: 401,
        code: 'further_factor_required',
        message: 'one of these factors is required: totp, passkey',
        realm: 'default',
        factors: ['totp', 'passkey'],
      },
    ]);
    for (const code of ['000000', ['123456'], undefined]) {
      expect((await ada.post('/second-factor/totp', { code })).status).toBe(401);
    }
    expect((await ada.get('/payees')).status).toBe(401);
    const proved = await ada.post('/second-factor/totp', { code: '123456' });
    expect(proved.status).toBe(200);
    const { csrfToken: csrf } = proved.json as { csrfToken: string };
    expect((await ada.get('/payees')).status).toBe(200);
    expect((await ada.post('/payees', { name: 'bob' }, { csrf })).json).toEqual({ status: 'added' });
    expect((await ada.post('/second-factor/totp', { code: '123456' })).status).toBe(401);
  });

  it('a passkey does as well where either is taken', async () => {
    running = await startExample(Notes, { beside });
    const { cookie, csrfToken: csrf } = await signInAs(running.app, 'ada@example.com', { factors: ['passkey'] });
    expect((await running.client().post('/payees', {}, { cookie, csrf })).status).toBe(201);
    expect((await running.client().get('/payees', { cookie })).status).toBe(401);
  });
});
