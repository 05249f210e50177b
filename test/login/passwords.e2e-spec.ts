import bcrypt from 'bcrypt';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BcryptPasswordHasher, MemoryLoginThrottleStore, PasswordHasher } from 'nestjs-session-auth';
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

  it('have at most 72 bytes; a longer one gets a clear error and costs no check', async () => {
    const longest = 'é'.repeat(36);
    await users.savePasswordHash('alice', await bank.app.get(PasswordHasher).hash(longest));
    const attempt = (password: string): Promise<{ status: number; json: unknown }> =>
      bank.client().post('/auth/login', { email: 'alice@example.com', password });
    expect((await attempt(longest)).status).toBe(200);
    expect((await attempt(`${longest}x`)).json).toEqual({
      statusCode: 400,
      code: 'password_too_long',
      message: expect.stringContaining('72 bytes'),
      realm: 'default',
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

  it('are the same in every form of Unicode that a system types, and hashes of another form are renewed', async () => {
    const composed = 'gr\u00fc\u00dfe aus m\u00fcnchen';
    const typed = composed.normalize('NFD');
    const attempt = async (password: string): Promise<number> =>
      (await bank.client().post('/auth/login', { email: 'alice@example.com', password })).status;
    const raw = await bcrypt.hash(typed, 5);
    await users.savePasswordHash('alice', raw);
    expect(await attempt(composed)).toBe(401);
    expect(await attempt(typed)).toBe(200);
    const renewed = await hashOf('alice');
    expect(renewed).not.toBe(raw);
    expect(await bcrypt.compare(composed, renewed)).toBe(true);
    expect([await attempt(composed), await attempt(typed)]).toEqual([200, 200]);
    expect(await hashOf('alice')).toBe(renewed);
  });

  it('cost as much work for everybody as for the account whose hash costs most, up to maxCost', async () => {
    await bank.close();
    bank = await startBank({ adapter, backend, options: { passwords: { cost: 4, maxCost: 6 }, loginThrottle: false } });
    users = bank.app.get(BankUsersService);
    await users.savePasswordHash('alice', await bcrypt.hash(PASSWORD, 6));
    await users.savePasswordHash('admin', await bcrypt.hash(PASSWORD, 7));
    const work = countRounds();
    const workFor = async (name: string): Promise<number> => {
      work.rounds = 0;
      const body = { email: `${name}@example.com`, password: 'wrong' };
      expect((await bank.client().post('/auth/login', body)).status).toBe(401);
      return work.rounds;
    };
    try {
      expect([await workFor('nobody'), await workFor('bob')]).toEqual([2 ** 4, 2 ** 4]);
      expect(await workFor('alice')).toBe(2 ** 6);
      expect([await workFor('nobody'), await workFor('bob'), await workFor('alice')]).toEqual(Array(3).fill(2 ** 6));
      expect(await workFor('admin')).toBe(2 ** 7);
      expect([await workFor('nobody'), await workFor('bob'), await workFor('alice')]).toEqual(Array(3).fill(2 ** 6));
    } finally {
      work.stop();
    }
  });

  it('of a disabled account are not told right from wrong, by answer, work or log', async () => {
    await bank.close();
    bank = await startBank({ adapter, backend, options: { passwords: { cost: 6 }, loginThrottle: false } });
    users = bank.app.get(BankUsersService);
    await users.savePasswordHash('alice', await bcrypt.hash(PASSWORD, 4));
    users.disable('alice');
    const work = countRounds();
    const seen = async (email: string, password: string): Promise<unknown[]> => {
      work.rounds = 0;
      const { status, text } = await bank.client().post('/auth/login', { email, password });
      return [status, text, work.rounds];
    };
    try {
      const right = await seen('alice@example.com', PASSWORD);
      expect(right).toEqual([401, expect.stringContaining('invalid_credentials'), 2 ** 6]);
      expect(await seen('alice@example.com', 'wrong')).toEqual(right);
      expect(await seen('nobody@example.com', 'wrong')).toEqual(right);
    } finally {
      work.stop();
    }
    const failures = bank.events.flatMap((event) => (event.type === 'login.failed' ? [event.reason] : []));
    expect(failures).toEqual(['account_disabled', 'account_disabled', 'unknown_user']);
  });

  it('whose verdict is kept back are not told right from wrong by a new hash, which takes time', async () => {
    await bank.close();
    const counts = new CountingThrottleStore();
    const storage = { ...backend.storage, throttle: { useValue: counts } };
    const loginThrottle = { client: { failures: 2 } };
    const passwords = { useValue: new PatientHasher(5, () => counts.reads >= 8) };
    bank = await startBank({ adapter, backend, options: { passwords, loginThrottle, storage } });
    users = bank.app.get(BankUsersService);
    const old = await bcrypt.hash(PASSWORD, 4);
    await users.savePasswordHash('alice', old);
    const guesses = Array.from({ length: 7 }, () =>
      bank.client().post('/auth/login', { email: 'alice@example.com', password: 'wrong' }),
    );
    // the right one is the last in the line, behind more failures than are told
    await until(() => counts.reads >= 7);
    const answers = await Promise.all([...guesses, bank.client().tryLogin('alice')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([401, 401, 429, 429, 429, 429, 429, 429]);
    expect(answers.at(-1)!.status).toBe(429);
    expect(await hashOf('alice')).toBe(old);
  });
});

/** Counts how often it was asked before a password was looked at. */
class CountingThrottleStore extends MemoryLoginThrottleStore {
  reads = 0;

  override read(...args: Parameters<MemoryLoginThrottleStore['read']>): ReturnType<MemoryLoginThrottleStore['read']> {
    this.reads += 1;
    return super.read(...args);
  }
}

/** Checks no password before all of them wait. */
class PatientHasher extends BcryptPasswordHasher {
  constructor(
    cost: number,
    private readonly haveAllCome: () => boolean,
  ) {
    super(cost);
  }

  override async verify(password: string, hash: string | undefined): Promise<boolean> {
    await until(this.haveAllCome);
    return super.verify(password, hash);
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** Counts the rounds that bcrypt runs, and lets it run them. */
function countRounds(): { rounds: number; stop(): void } {
  const { hash, compare } = bcrypt;
  const counted = {
    rounds: 0,
    stop: () => void Object.assign(bcrypt, { hash, compare }),
  };
  bcrypt.hash = ((data: string, cost: number) => {
    counted.rounds += 2 ** cost;
    return hash(data, cost);
  }) as typeof hash;
  bcrypt.compare = ((data: string, encrypted: string) => {
    counted.rounds += 2 ** Number(encrypted.slice(4, 6));
    return compare(data, encrypted);
  }) as typeof compare;
  return counted;
}
