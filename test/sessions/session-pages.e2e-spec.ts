import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService, type SessionListItem } from 'nestjs-session-auth';
import type { Answer, BankClient } from '../support/bank-client.js';
import { openBackend, startBank, STORES, type Backend, type Bank } from '../support/bank.js';

// more than one step of the end of all takes
const MANY = 1_200;

describe.each(STORES)('a user with many sessions, in %s', (store) => {
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;
  let current: string;

  beforeEach(async () => {
    backend = await openBackend(store);
    const concurrency = { max: Infinity, onLimit: 'evict-oldest' } as const;
    bank = await startBank({ adapter: 'express', backend, options: { concurrency, storeTimeout: '20s' } });
    alice = bank.client();
    current = (await alice.login('alice')).id;
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const pageOf = (answer: Answer): string[] => (answer.json as SessionListItem[]).map(({ id }) => id);

  const nextOf = ({ headers }: Answer): string | undefined => {
    const query = /^<(\?[\w=&.%-]+)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1];
    return query === undefined ? undefined : `/auth/sessions${query}`;
  };

  const login = async (count: number): Promise<void> => {
    const lifecycle = bank.app.get(SessionLifecycleService);
    for (let made = 0; made < count; made += 100) {
      const step = Math.min(100, count - made);
      await Promise.all(Array.from({ length: step }, () => lifecycle.create({ user: { id: 'alice' } })));
    }
  };

  it('has them listed by pages, a hundred at a time unless asked otherwise, each once', async () => {
    await login(120);
    let answer = await alice.get('/auth/sessions');
    const seen = pageOf(answer);
    expect(seen).toHaveLength(100);
    answer = await alice.get(nextOf(answer)!);
    seen.push(...pageOf(answer));
    expect(nextOf(answer)).toBeUndefined();
    expect(new Set(seen).size).toBe(121);
    expect(seen).toContain(current);

    const pages: string[][] = [];
    for (let path: string | undefined = '/auth/sessions?limit=50'; path !== undefined; path = nextOf(answer)) {
      answer = await alice.get(path);
      pages.push(pageOf(answer));
    }
    expect(pages.map((page) => page.length)).toEqual([50, 50, 21]);
    expect(pages.flat()).toEqual(seen);
    const whole = await alice.get('/auth/sessions?limit=1000');
    expect([pageOf(whole), nextOf(whole)]).toEqual([seen, undefined]);
  });

  it('refuses an invalid page', async () => {
    const sizes = ['0', '1001', '-1', '1.5', 'ten', '', '1&limit=2'].map((size) => `limit=${size}`);
    const cursors = ['', 'x', "1'--", '1&cursor=2'].map((cursor) => `cursor=${cursor}`);
    for (const query of [...sizes, ...cursors]) {
      const answer = await alice.get(`/auth/sessions?${query}`);
      expect([query, answer.json]).toEqual([
        query,
        expect.objectContaining({ statusCode: 400, code: 'invalid_request' }),
      ]);
    }
  });

  it('has all of them ended, in bounded steps', async () => {
    await login(MANY);
    expect((await alice.ask('DELETE', '/auth/sessions')).json).toEqual({ revoked: MANY });
    expect(pageOf(await alice.get('/auth/sessions'))).toEqual([current]);
    expect(bank.events.filter(({ type }) => type === 'session.destroyed')).toHaveLength(MANY);
    await login(1);
    expect((await alice.ask('DELETE', '/auth/sessions?include=current')).json).toEqual({ revoked: 2 });
    expect(await alice.isSignedIn()).toBe(false);
  });
});
