import { afterEach, describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

/** The depth that docs and errors name. */
const LIMIT = 500;

describe.each(EVERYWHERE)('deeply nested session data on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it('is accepted to a fixed depth and refused with 400 beyond it', async () => {
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend });
    const alice = bank.client();
    await alice.login('alice');
    // as text: a test that turned so deep a value into JSON would overflow itself
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    const change = (key: string, levels: number): Promise<Answer> =>
      alice.ask('PATCH', '/api/preferences', { body: `{"${key}":${nested(levels)}}` });

    const taken = await change('deep', LIMIT);
    expect(taken.status).toBe(200);
    expect((await alice.get('/api/preferences')).text).toBe(`{"deep":${nested(LIMIT)}}`);

    for (const levels of [LIMIT + 1, 1000, 2500, 4000, 6000, 9000, 40_000]) {
      const refused = await change('more', levels);
      expect({ levels, status: refused.status, json: refused.json }).toEqual({
        levels,
        status: 400,
        json: { statusCode: 400, code: 'invalid_session_data', message: expect.any(String), realm: 'default' },
      });
    }
    expect((await alice.get('/api/preferences')).text).toBe(`{"deep":${nested(LIMIT)}}`);
  });
});
