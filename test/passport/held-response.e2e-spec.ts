import { afterEach, describe, expect, it } from '@jest/globals';
import compression from 'compression';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import {
  MemorySessionStore,
  SessionAuthService,
  SessionLifecycleService,
  type UpdateOutcome,
} from 'nestjs-session-auth';
import { BankClient } from '../support/bank-client.js';
import { openBackend } from '../support/bank.js';
import { closeApps, log } from '../support/door-app.js';
import { until } from '../support/patience.js';
import { startPassport, type Handler } from '../support/passport-app.js';

/** A store whose writes can be held up, and fail. */
class SlowStore extends MemorySessionStore {
  isDown = false;
  writes = 0;
  gate: Promise<void> = Promise.resolve();

  override async update(...args: Parameters<MemorySessionStore['update']>): Promise<UpdateOutcome> {
    await this.#write();
    return super.update(...args);
  }

  override async create(...args: Parameters<MemorySessionStore['create']>): ReturnType<MemorySessionStore['create']> {
    await this.#write();
    return super.create(...args);
  }

  async #write(): Promise<void> {
    this.writes += 1;
    await this.gate;
    if (this.isDown) throw new Error('the store is down');
  }

  /** Holds writes up until the function is called that it returns. */
  hold(): () => void {
    let open = (): void => undefined;
    this.gate = new Promise((resolve) => (open = resolve));
    return open;
  }
}

const BYTES = 300_000;

const handlers: Record<string, Handler> = {
  json: (request, response) => {
    request.session['a'] = 1;
    response.json({ done: true });
  },
  redirect: (request, response) => {
    request.session['a'] = 1;
    response.cookie('own', 'kept').redirect('/elsewhere');
  },
  stream: (request, response) => {
    request.session['a'] = 1;
    response.setHeader('content-type', 'text/plain');
    Readable.from([Buffer.alloc(BYTES, 'a'), Buffer.alloc(BYTES, 'b')]).pipe(response);
  },
  head: (request, response) => {
    request.session['a'] = 1;
    response.writeHead(201, { 'x-own': 'kept' }).write('first');
    response.end('last');
  },
  flush: (request, response) => {
    request.session['a'] = 1;
    response.flushHeaders();
    response.end('last');
  },
  // writes to a session after the head of the response has left
  late: (request, response) => {
    response.write('first');
    request.session['b'] = 2;
    response.end('last');
  },
  later: async (request, response) => {
    response.json({ done: true });
    request.session['c'] = 3;
    const saved = promisify((done: (error?: unknown) => void) => request.session.save(done))();
    outcomes.push(
      await saved.then(
        () => 'saved',
        (error: { code: string }) => error.code,
      ),
    );
  },
  two: (request, response) => {
    request.session['a'] = 1;
    response.status(201).json({ first: true });
    response.status(500).json({ second: true });
  },
  throws: (request, response) => {
    request.session['a'] = 1;
    response.status(201).json({ first: true });
    throw new Error('after the response');
  },
  // Node.js throws at each of these
  'bad-header': (request, response) => {
    request.session['a'] = 1;
    response.writeHead(200, { 'x-own': 'first\nsecond' }).end('last');
  },
  'bad-body': (request, response) => {
    request.session['a'] = 1;
    response.end(42 as never);
  },
  'bad-piece': (request, response) => {
    request.session['a'] = 1;
    response.write('first');
    response.end(42 as never);
  },
  circle: (request, response) => {
    const circle: { own?: object } = {};
    circle.own = circle;
    request.session['circle'] = circle;
    response.json({});
  },
  large: (request, response) => {
    request.session['large'] = 'x'.repeat(100_000);
    response.json({});
  },
};

let outcomes: string[] = [];

describe('a response behind SessionPassport', () => {
  afterEach(async () => {
    outcomes = [];
    await closeApps();
  });

  const start = async (behind: Parameters<typeof startPassport>[0] = {}) => {
    const store = new SlowStore();
    const started = await startPassport({ handlers, storage: { sessions: { useValue: store } }, ...behind });
    return { ...started, store };
  };

  it.each(['bad-header', 'bad-body'])('responds 500 if the held response cannot be sent: %s', async (name) => {
    const { client } = await start();
    const visitor = client();
    expect((await visitor.get(`/view/${name}`)).status).toBe(500);
    expect((await visitor.get('/plain/user')).status).toBe(200);
  });

  it('closes the connection if the held response cannot be sent after its head', async () => {
    const { client } = await start();
    await expect(client().get('/view/bad-piece')).rejects.toThrow();
    expect((await client().get('/plain/user')).status).toBe(200);
  });

  it.each(['json', 'redirect', 'stream', 'head', 'flush'])(
    'waits until a first write is stored, and carries the cookie of it: %s',
    async (name) => {
      const { client, store } = await start();
      const open = store.hold();
      let isAnswered = false;
      const visitor = client();
      const answer = visitor.get(`/view/${name}`).finally(() => (isAnswered = true));
      await until(() => store.writes === 1);
      expect(isAnswered).toBe(false);
      open();
      const { text } = await answer;
      if (name === 'stream') expect(text).toBe('a'.repeat(BYTES) + 'b'.repeat(BYTES));
      expect((await visitor.get('/plain/stored')).json).toEqual({ a: 1 });
    },
  );

  it('has the head that the handler gave it', async () => {
    const { client } = await start();
    expect(await client().get('/view/head')).toMatchObject({
      status: 201,
      headers: { 'x-own': 'kept', 'set-cookie': [expect.stringContaining('session=')] },
      text: 'firstlast',
    });
    expect((await client().get('/view/redirect')).setCookies).toHaveLength(2);
  });

  it.each(['two', 'throws'])('is the first one where there are two: %s', async (name) => {
    const { client } = await start();
    expect(await client().get(`/view/${name}`)).toMatchObject({ status: 201, json: { first: true } });
  });

  it('works with compression, in either order', async () => {
    for (const place of ['before', 'behind'] as const) {
      const { client } = await start({ [place]: [compression({ threshold: 0 })] });
      const visitor = client();
      const headers = { 'accept-encoding': 'gzip' };
      const { status, headers: sent } = await visitor.get('/view/stream', { headers });
      expect([status, sent['content-encoding']]).toEqual([200, 'gzip']);
      expect((await visitor.get('/plain/stored')).json).toEqual({ a: 1 });
    }
  });

  it('is not held back where there is nothing to write', async () => {
    const { client, store } = await start();
    store.hold();
    expect((await client().get('/view/data')).status).toBe(200);
  });

  it.each(['json', 'redirect', 'stream', 'head', 'flush'])(
    'is 503 where the store is down, and nothing of what the handler said: %s',
    async (name) => {
      const { client, store } = await start();
      const alice = client();
      await alice.get('/plain/enter');
      store.isDown = true;
      for (const browser of [alice, client()]) {
        const answer = await browser.get(`/view/${name}`);
        expect(answer).toMatchObject({ status: 503, json: { code: 'session_store_unavailable' } });
        expect(answer.headers).toMatchObject({
          'retry-after': expect.any(String),
          'content-type': expect.stringContaining('json'),
        });
        expect(answer.headers.location).toBeUndefined();
      }
      store.isDown = false;
      expect((await alice.get('/plain/stored')).json).toEqual({});
    },
  );

  it('is an error where the data cannot be stored', async () => {
    const { client } = await start();
    expect(await client().get('/view/circle')).toMatchObject({ status: 400, json: { code: 'invalid_session_data' } });
    expect(await client().get('/view/large')).toMatchObject({ status: 413, json: { code: 'session_data_too_large' } });
  });

  it('stores what is written after its head has left, for a session that is there', async () => {
    const { client } = await start();
    const alice = client();
    await alice.get('/plain/enter');
    expect((await alice.get('/view/late')).text).toBe('firstlast');
    await alice.get('/view/later');
    await until(() => outcomes.length === 1);
    expect(outcomes).toEqual(['saved']);
    expect((await alice.get('/plain/stored')).json).toEqual({ b: 2, c: 3 });
  });

  it('is cut where that cannot be stored, and makes no session that no cookie could name', async () => {
    const { client, store, port } = await start();
    await expect(client().get('/view/late')).rejects.toThrow();
    expect(log.some(({ level, text }) => level === 'error' && text.includes('response_already_sent'))).toBe(true);
    await client().get('/view/later');
    await until(() => outcomes.length === 1);
    expect(outcomes).toEqual(['response_already_sent']);
    expect(store.writes).toBe(0);
    const alice = new BankClient(port);
    await alice.get('/plain/enter');
    store.isDown = true;
    await expect(alice.get('/view/late')).rejects.toThrow();
  });

  it('is stored also where the client has gone away', async () => {
    const { client, store, port } = await start();
    const alice = client();
    await alice.get('/plain/enter');
    const open = store.hold();
    const path = '/view/json';
    const gone = httpRequest({ host: '127.0.0.1', port, path, headers: { cookie: alice.cookie } }).on(
      'error',
      () => undefined,
    );
    gone.end();
    await until(() => store.writes === 2);
    gone.destroy();
    open();
    await until(async () => (await alice.get('/plain/stored')).text === '{"a":1}');
  });
});

describe.each(['memory', 'redis', 'postgres'] as const)(
  'data that is written after the session has ended, on %s',
  (name) => {
    afterEach(closeApps);

    it.each(['revoked from elsewhere', 'logged out by the service'])('does not bring it back: %s', async (how) => {
      const backend = await openBackend(name);
      const { client, app, events } = await startPassport({
        storage: backend.storage,
        handlers: {
          write: async (request, response, auth) => {
            request.session['a'] = 1;
            if (how === 'logged out by the service') await auth.logout(request);
            else await app.get(SessionLifecycleService).revokeAll('alice', 'revoked');
            response.json({});
          },
        },
      });
      expect(app.get(SessionAuthService)).toBeDefined();
      const alice = client();
      await alice.get('/plain/enter');
      const { cookie } = alice;
      const answer = await alice.get('/view/write');
      if (how === 'revoked from elsewhere')
        expect(answer).toMatchObject({ status: 401, json: { code: 'session_required' } });
      else expect(answer.status).toBe(200);
      expect((await client().get('/plain/stored', { cookie })).json).toBeNull();
      expect(events.filter(({ type }) => type === 'session.created')).toHaveLength(1);
      await app.close();
      await backend.close();
    });
  },
);
