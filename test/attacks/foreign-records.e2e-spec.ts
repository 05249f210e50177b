import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import {
  MemoryRememberMeTokenStore,
  MemorySessionStore,
  SessionAuthService,
  type FindOutcome,
  type RememberMeTokenRecord,
  type SessionRecord,
  type Touch,
} from 'nestjs-session-auth';
import { REMEMBER_COOKIE, SESSION_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, SERVERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

/** A store that, once it is told to, answers with the other one of its two sessions. */
class ConfusedSessionStore extends MemorySessionStore {
  readonly #digests: string[] = [];
  isConfused = false;

  override create(record: SessionRecord, ...rest: [never, never]): ReturnType<MemorySessionStore['create']> {
    this.#digests.push(record.digest);
    return super.create(record, ...rest);
  }

  override find(digest: string, touch: Touch): Promise<FindOutcome> {
    return super.find(this.isConfused ? this.#digests.find((other) => other !== digest)! : digest, touch);
  }
}

/** A store that, once it is told to, finds the user of the other one of its two tokens. */
class ConfusedTokenStore extends MemoryRememberMeTokenStore {
  readonly #records: RememberMeTokenRecord[] = [];
  isConfused = false;

  override create(record: RememberMeTokenRecord, ...rest: [number, number]): Promise<void> {
    this.#records.push(record);
    return super.create(record, ...rest);
  }

  override async find(selector: string, now: number): Promise<RememberMeTokenRecord | undefined> {
    const found = await super.find(selector, now);
    const other = this.#records.find((record) => record.selector !== selector)!;
    return this.isConfused && found !== undefined ? { ...found, userId: other.userId } : found;
  }
}

/** Signs in whoever is named, and remembers the device. */
@Controller('enter')
class EnterController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Get(':id')
  async enter(@Req() request: object, @Param('id') id: string): Promise<void> {
    await this.auth.loginUser(request, { id }, 'custom', { rememberMe: true });
  }
}

interface Guest {
  readonly id: string;
  readonly client: BankClient;
}

/** Two users whose tokens begin alike, as those of one user in 4096 do. */
function usersOfOneShard(): [string, string] {
  const tagOf = (id: string): string => createHash('sha256').update(`shard:${id}`).digest('base64url').slice(0, 2);
  const seen = new Map<string, string>();
  for (let i = 0; ; i += 1) {
    const [id, other] = [`user${i}`, seen.get(tagOf(`user${i}`))];
    if (other !== undefined) return [other, id];
    seen.set(tagOf(id), id);
  }
}

let backend: Backend;
let bank: Bank;

afterEach(async () => {
  await bank.close();
  await backend.close();
});

/**
 * A record of another session is none of its own. Under the handle in Redis, it is one that does not know the token.
 */
const alarms = (): number =>
  bank.events.filter(({ type }) => type === 'session.corrupt_record' || type === 'session.token_reused').length;

describe.each(EVERYWHERE)('two sessions mixed up in the store, on $adapter with $store', ({ adapter, store }) => {
  const confused = new ConfusedSessionStore();

  /** Puts what the store knows of each of its two sessions where the other one is looked for. */
  const mixUp = async (): Promise<void> => {
    const { redis, dataSource, namespace } = backend;
    confused.isConfused = true;
    if (redis) {
      const keys = (await redis.keys(`${namespace}*:s:*`)) as [string, string];
      const values = await redis.mget(...keys);
      await redis.mset(keys[0], values[1]!, keys[1], values[0]!);
    }
    if (dataSource) {
      const rows: { handle: string; digest: string }[] = await dataSource.query(
        'SELECT handle, digest FROM session_auth_session',
      );
      expect(rows).toHaveLength(2);
      const set = (digest: string, handle: string): Promise<unknown> =>
        dataSource.query('UPDATE session_auth_session SET digest = $1 WHERE handle = $2', [digest, handle]);
      await set('between', rows[0]!.handle);
      await set(rows[0]!.digest, rows[1]!.handle);
      await set(rows[1]!.digest, rows[0]!.handle);
    }
  };

  it.each([
    ['of two users', 'bob'],
    ['of one user', 'alice'],
  ])('sign nobody in as somebody else, and are told: sessions %s', async (_what, other) => {
    backend = await openBackend(store);
    const storage = store === 'memory' ? { sessions: { useValue: confused } } : backend.storage;
    confused.isConfused = false;
    bank = await startBank({ adapter, backend: { ...backend, storage } });
    const clients: BankClient[] = [bank.client(), bank.client()];
    await clients[0]!.login('alice');
    await clients[1]!.login(other);
    for (const client of clients) expect(await client.isSignedIn()).toBe(true);
    await mixUp();
    for (const client of clients) expect(await client.isSignedIn()).toBe(false);
    expect(alarms()).toBe(2);
  });
});

describe.each(SERVERS)('two remembered devices mixed up in the store, on %s', (adapter) => {
  it('sign nobody in as somebody else, and are reported', async () => {
    backend = await openBackend('memory');
    const rememberMe = new ConfusedTokenStore();
    bank = await startBank({
      adapter,
      backend: { ...backend, storage: { ...backend.storage, rememberMe: { useValue: rememberMe } } },
    });
    const alice = bank.client();
    await alice.login('alice', { rememberMe: true });
    await bank.client().login('bob', { rememberMe: true });
    alice.restart();
    rememberMe.isConfused = true;
    expect(await alice.isSignedIn()).toBe(false);
    expect(alarms()).toBe(1);
    expect(bank.events.filter(({ type }) => type === 'session.created')).toHaveLength(2);
  });

  it("sign nobody in by a CSRF token of somebody else's ended session, also where their tokens begin alike", async () => {
    backend = await openBackend('memory');
    const find = (id: string): Promise<{ id: string }> => Promise.resolve({ id });
    bank = await startBank({
      adapter,
      backend,
      module: { controllers: [EnterController] },
      options: { users: { useValue: { findById: find, findByEmail: find } } },
    });
    const [mallory, alice] = usersOfOneShard().map((id) => ({ id, client: bank.client() })) as [Guest, Guest];
    for (const { id, client } of [mallory, alice]) await client.get(`/enter/${id}`);
    const csrf = await mallory.client.csrfToken();
    bank.clock.advance(2 * 60 * 60 * 1000);
    const cookieOf = ({ client }: Guest, name: string): string => `${name}=${client.cookies.get(name)!}`;
    const planted = `${cookieOf(mallory, SESSION_COOKIE)}; ${cookieOf(alice, REMEMBER_COOKIE)}`;
    const transfer = (cookie: string, token: string): Promise<Answer> =>
      bank.client().post('/api/transfer', { to: 'mallory', amount: 1 }, { cookie, csrf: token });
    expect((await transfer(planted, csrf)).status).toBe(401);
    expect(bank.events.filter(({ type }) => type === 'remember_me.used')).toEqual([]);
    // her own would do
    const own = `${cookieOf(mallory, SESSION_COOKIE)}; ${cookieOf(mallory, REMEMBER_COOKIE)}`;
    expect((await transfer(own, csrf)).status).toBe(201);
  });
});
