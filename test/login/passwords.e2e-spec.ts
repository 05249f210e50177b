import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BcryptPasswordHasher, PasswordHasher } from 'nestjs-session-auth';
import { BankUsersService } from '../../src/users/bank-users.service.js';
import { ADAPTERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

const PASSWORD = 'alice-demo-password';

describe.each(ADAPTERS)('passwords on %s', (adapter) => {
  let backend: Backend;
  let bank: Bank;
  let users: BankUsersService;

  beforeEach(async () => {
    backend = await openBackend('memory');
    bank = await startBank({ adapter, backend, options: { passwords: { cost: 5 }, loginThrottle: false } });
    users = bank.app.get(BankUsersService);
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const hashOf = async (id: string): Promise<string> => (await users.findById(id))!.passwordHash;

  it('are hashed anew at a login when the cost was raised since, and work as before', async () => {
    await users.savePasswordHash('alice', await new BcryptPasswordHasher(4).hash(PASSWORD));
    await bank.client().login('alice');
    expect(await hashOf('alice')).toMatch(/^\$2b\$05\$/);
    const hash = await hashOf('alice');
    await bank.client().login('alice');
    expect(await hashOf('alice')).toBe(hash);
  });

  it('are not hashed anew at a login that fails', async () => {
    const old = await new BcryptPasswordHasher(4).hash(PASSWORD);
    await users.savePasswordHash('alice', old);
    await bank.client().post('/auth/login', { email: 'alice@example.com', password: 'wrong' });
    expect(await hashOf('alice')).toBe(old);
  });

  it('let the user in although the new hash cannot be kept, which is logged', async () => {
    await users.savePasswordHash('alice', await new BcryptPasswordHasher(4).hash(PASSWORD));
    users.savePasswordHash = () => Promise.reject(new Error('the database is read-only'));
    await bank.client().login('alice');
    expect(bank.log.join('\n')).toContain('could not be rehashed');
  });

  it('take 72 bytes and no more, which is told clearly and costs no check', async () => {
    const longest = 'é'.repeat(36);
    await users.savePasswordHash('alice', await bank.app.get(PasswordHasher).hash(longest));
    const attempt = (password: string): Promise<{ status: number; json: unknown }> =>
      bank.client().post('/auth/login', { email: 'alice@example.com', password });
    expect((await attempt(longest)).status).toBe(200);
    expect((await attempt(`${longest}x`)).json).toEqual({
      statusCode: 400,
      code: 'password_too_long',
      message: expect.stringContaining('72 bytes'),
    });
    expect((await attempt(longest.slice(1))).status).toBe(401);
  });

  it('of an account without one let nobody in', async () => {
    for (const passwordHash of ['', 'plain text', '$2b$05$tooshort', undefined as unknown as string]) {
      await users.savePasswordHash('alice', passwordHash);
      for (const password of [passwordHash || 'x', PASSWORD]) {
        const answer = await bank.client().post('/auth/login', { email: 'alice@example.com', password });
        expect(answer.json).toMatchObject({ statusCode: 401, code: 'invalid_credentials' });
      }
    }
  });
});
