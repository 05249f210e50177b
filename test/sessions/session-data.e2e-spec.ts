import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Param, Post, Req } from '@nestjs/common';
import { CsrfExempt, Public, SessionAuthService, SessionLifecycleService, type SessionData } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { EVERYWHERE, ON_MYSQL, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

let data: SessionData;

/** Every way in which an application puts data into a session. */
@Controller('values')
class ValuesController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(SessionLifecycleService) private readonly lifecycle: SessionLifecycleService,
  ) {}

  @Public()
  @CsrfExempt()
  @Post(':way')
  async put(@Req() request: object, @Param('way') way: string): Promise<void> {
    const session = await this.auth.current(request);
    if (way === 'ensure') await this.auth.ensureSession(request, data);
    if (way === 'create') await this.lifecycle.create({ user: { id: 'bob' }, data });
    if (way === 'update') await session!.update(data);
    if (way === 'lifecycle') await this.lifecycle.update(session!, data);
  }

  @Public()
  @Get()
  async get(@Req() request: object): Promise<object> {
    return (await this.auth.current(request))?.data ?? {};
  }
}

class Basket {
  readonly #items = new Map([['pear', 2]]);

  get size(): number {
    return this.#items.size;
  }
}

const LOST: readonly (readonly [string, unknown])[] = [
  ['a map', new Map([['pear', 2]])],
  ['a set', new Set(['pear'])],
  ['no number', NaN],
  ['an infinity', Infinity],
  ['a function', () => 2],
  ['a symbol', Symbol('pear')],
  ['a bigint', 2n],
  ['a date', new Date(0)],
  ['an instance of a class', new Basket()],
];

describe.each([...EVERYWHERE, ...ON_MYSQL])('session data on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;

  beforeEach(async () => {
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend, module: { controllers: [ValuesController] } });
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it.each(LOST)('is refused where JSON would lose %s, at any depth and by every way in', async (_what, lost) => {
    const alice = bank.client();
    await alice.login('alice');
    data = { kept: true };
    expect((await alice.post('/values/update')).status).toBe(201);
    const created = bank.events.length;
    for (const given of [{ basket: lost }, { basket: { of: [{ pears: lost }] } }]) {
      data = { ...given, kept: false };
      for (const way of ['update', 'lifecycle', 'create', 'ensure']) {
        // a visitor without a session would get one
        const { status, json } = await (way === 'ensure' ? bank.client() : alice).post(`/values/${way}`);
        expect({ way, status, json }).toEqual({
          way,
          status: 400,
          json: {
            statusCode: 400,
            code: 'invalid_session_data',
            message: expect.stringContaining('"basket"'),
            realm: 'default',
          },
        });
      }
      await expect(signInAs(bank.app, { id: 'bob' }, { data })).rejects.toMatchObject({ code: 'invalid_session_data' });
    }
    expect(bank.events).toHaveLength(created);
    expect((await alice.get('/values')).json).toEqual({ kept: true });
  });
});
