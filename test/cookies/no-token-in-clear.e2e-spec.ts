import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { CookieSet } from '../../libs/session-auth/src/http/cookie-set.js';
import { SESSION_COOKIE } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

describe.each(EVERYWHERE)('no token in clear on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  const issued: string[] = [];

  beforeEach(async () => {
    issued.length = 0;
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend });
    watchTokens(bank.app.get(CookieSet, { strict: false }), issued);
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it('in any key or value of the store, any body, header but Set-Cookie, log line or event', async () => {
    const texts: string[] = [];
    const alice = bank.client();
    const say = async (method: string, path: string, body?: unknown): Promise<void> => {
      const { text, headers } = await alice.ask(method, path, { body, headers: { 'user-agent': 'evil\u00e9 agent' } });
      const { 'set-cookie': _, ...others } = headers;
      texts.push(text, JSON.stringify(others));
    };
    await say('POST', '/auth/login', { email: 'alice@example.com', password: 'alice-demo-password' });
    await say('GET', '/auth/session');
    await say('GET', '/auth/sessions');
    await say('PATCH', '/api/preferences', { theme: 'dark' });
    await say('POST', '/auth/reauthenticate', { password: 'alice-demo-password' });
    await say('POST', '/auth/login', { email: 'alice@example.com', password: 'alice-demo-password' });
    await say('GET', '/api/me');
    const sealed = alice.sealed;
    if (backend.redis) {
      for (const key of await backend.redis.keys(`${backend.namespace}*`)) {
        texts.push(key, await contentOf(backend.redis, key));
      }
    }
    if (backend.dataSource) {
      texts.push(JSON.stringify(await backend.dataSource.query('SELECT * FROM session_auth_session')));
    }
    await say('POST', '/auth/logout');
    alice.cookies.set(SESSION_COOKIE, sealed);
    await say('GET', '/api/me');
    texts.push(...bank.log, JSON.stringify(bank.events));

    expect(issued).toHaveLength(3);
    expect(bank.events.length).toBeGreaterThan(4);
    const everything = texts.join('\n');
    for (const token of [...issued, sealed, ...issued.map((each) => each.slice(22))]) {
      expect(token.length).toBeGreaterThan(40);
      expect(everything).not.toContain(token);
      expect(everything).not.toContain(Buffer.from(token).toString('hex'));
      expect(everything).not.toContain(Buffer.from(token).toString('base64url'));
    }
    expect(everything).not.toContain('alice-demo-password');
  });
});

async function contentOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'string') return (await redis.get(key))!;
  return JSON.stringify(type === 'hash' ? await redis.hgetall(key) : await redis.zrange(key, 0, -1));
}

/** Notes every token that a node hands out. */
function watchTokens({ session }: CookieSet, issued: string[]): void {
  const issue = session.issue.bind(session);
  session.issue = (token, ...rest) => {
    issued.push(token);
    return issue(token, ...rest);
  };
}
