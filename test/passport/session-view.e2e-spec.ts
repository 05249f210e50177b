import { afterEach, describe, expect, it } from '@jest/globals';
import { promisify } from 'node:util';
import { SESSION_COOKIE } from '../support/bank-client.js';
import { EVERYWHERE, openBackend } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import { PEOPLE, startPassport, type Asked, type Handler } from '../support/passport-app.js';

const write =
  (change: (session: Record<string, unknown>) => void): Handler =>
  (request, response) => {
    change(request.session);
    response.json({});
  };

/** Writes the body into the session, whatever it is. */
const assign: Handler = (request, response) => {
  Object.assign(request.session, request.body);
  response.json({});
};

/** Calls a method of the session, and answers by what it calls back with. */
const call =
  (method: 'save' | 'destroy' | 'regenerate' | 'reload', after?: (request: Asked) => void): Handler =>
  async (request, response) => {
    const { session } = request;
    await promisify((done: (error?: unknown) => void) => session[method](done))();
    after?.(request);
    response.json({ session: request.session ?? null });
  };

describe('req.session behind SessionPassport', () => {
  afterEach(closeApps);

  const stores = EVERYWHERE.filter(({ adapter }) => adapter === 'express').map(({ store }) => store);

  describe.each(stores)('on %s', (store) => {
    it('keeps what a request writes, changes and deletes, by top-level keys', async () => {
      const backend = await openBackend(store);
      const { client, app } = await startPassport({
        storage: backend.storage,
        handlers: {
          write: write((session) => Object.assign(session, { color: 'red', cart: { items: [1] }, old: true })),
          change: write((session) => {
            (session['cart'] as { items: number[] }).items.push(2);
            delete session['old'];
          }),
        },
      });
      const visitor = client();
      await visitor.get('/view/write');
      expect((await visitor.get('/view/data')).json).toEqual({ color: 'red', cart: { items: [1] }, old: true });
      await visitor.get('/view/change');
      expect((await visitor.get('/plain/stored')).json).toEqual({ color: 'red', cart: { items: [1, 2] } });
      await app.close();
      await backend.close();
    });

    it('loses nothing that parallel requests write under different keys', async () => {
      const backend = await openBackend(store);
      let waiting = 0;
      let open = (): void => undefined;
      const all = new Promise<void>((resolve) => (open = resolve));
      const { client, app } = await startPassport({
        storage: backend.storage,
        handlers: {
          write: async (request, response) => {
            request.session[request.query['key'] as string] = true;
            if ((waiting += 1) === 8) open();
            await all;
            response.json({});
          },
        },
      });
      const visitor = client();
      await visitor.get('/plain/enter');
      const keys = Array.from({ length: 8 }, (_, place) => `key${place}`);
      await Promise.all(keys.map((key) => visitor.get(`/view/write?key=${key}`)));
      expect(Object.keys((await visitor.get('/plain/stored')).json as object).sort()).toEqual(keys);
      await app.close();
      await backend.close();
    });
  });

  it('makes no session and sets no cookie before something is written', async () => {
    const { client, events } = await startPassport({
      handlers: { empty: write((session) => (session['flash'] = {})) },
    });
    const visitor = client();
    for (const path of ['/view/data', '/view/user', '/view/empty']) {
      expect((await visitor.get(path)).setCookies).toEqual([]);
    }
    expect(events).toEqual([]);
  });

  it('writes nothing where nothing differs as JSON', async () => {
    const { client, app } = await startPassport({
      handlers: { same: write((session) => (session['a'] = { b: 1, c: undefined })), assign },
    });
    const visitor = client();
    await visitor.post('/view/assign', { a: { b: 1 } });
    const { SessionStore } = await import('nestjs-session-auth');
    const store = app.get<{ update: (...args: unknown[]) => unknown }>(SessionStore);
    let updates = 0;
    const update = store.update.bind(store);
    store.update = (...args) => ((updates += 1), update(...args));
    await visitor.get('/view/same');
    expect(updates).toBe(0);
    await visitor.post('/view/assign', { a: { b: 2 } });
    expect(updates).toBe(1);
  });

  it('turns a date into text, as express-session does', async () => {
    const { client } = await startPassport({
      handlers: {
        write: write((session) => (session['at'] = new Date(0))),
        gone: write((session) => (session['at'] = undefined)),
      },
    });
    const visitor = client();
    await visitor.get('/view/write');
    expect((await visitor.get('/view/data')).json).toEqual({ at: '1970-01-01T00:00:00.000Z' });
    await visitor.get('/view/gone');
    expect((await visitor.get('/plain/stored')).json).toEqual({});
  });

  it('stores by save what was written so far, before the response', async () => {
    const seen: unknown[] = [];
    const { client } = await startPassport({
      handlers: {
        save: async (request, response, auth) => {
          request.session['a'] = 1;
          await promisify((done: (error?: unknown) => void) => request.session.save(done))();
          seen.push((await auth.current(request))?.data);
          request.session['b'] = 2;
          response.json({ id: request.session.id });
        },
      },
    });
    const visitor = client();
    await visitor.get('/view/save');
    expect(seen).toEqual([{ a: 1 }]);
    expect((await visitor.get('/plain/stored')).json).toEqual({ a: 1, b: 2 });
  });

  it('ends the session by destroy, and has none from then on', async () => {
    const { client, events } = await startPassport({ handlers: { destroy: call('destroy'), assign } });
    const alice = client();
    await alice.get('/plain/enter');
    await alice.post('/view/assign', { a: 1 });
    const { cookie } = alice;
    expect(await alice.get('/view/destroy')).toMatchObject({ status: 200, json: { session: null } });
    expect(alice.cookies.has(SESSION_COOKIE)).toBe(false);
    expect((await client().get('/plain/stored', { cookie })).json).toBeNull();
    expect(events.map(({ type }) => type)).toContain('session.destroyed');
  });

  it('holds the response back for a destroy that nobody waits for', async () => {
    const { client } = await startPassport({
      handlers: {
        destroy: (request, response) => {
          request.session.destroy();
          response.redirect('/');
        },
      },
    });
    const alice = client();
    await alice.get('/plain/enter');
    const { cookie } = alice;
    expect((await alice.get('/view/destroy')).status).toBe(302);
    expect(alice.cookies.has(SESSION_COOKIE)).toBe(false);
    expect((await client().get('/plain/stored', { cookie })).json).toBeNull();
  });

  it('does not sign a remembered device in again after destroy or regenerate', async () => {
    const { client } = await startPassport({ handlers: { destroy: call('destroy'), regenerate: call('regenerate') } });
    for (const method of ['destroy', 'regenerate']) {
      const alice = client();
      await alice.get('/plain/enter?rememberMe');
      const { cookie } = alice;
      await alice.get(`/view/${method}`);
      expect((await alice.get('/view/user')).json).toEqual({ user: null, isAuthenticated: false });
      expect((await client().get('/view/user', { cookie })).json).toEqual({ user: null, isAuthenticated: false });
    }
  });

  it('regenerates: another session, nothing of the old one, which is over', async () => {
    const after = (request: Asked): void => void (request.session['b'] = 2);
    const { client } = await startPassport({ handlers: { regenerate: call('regenerate', after), assign } });
    const visitor = client();
    await visitor.post('/view/assign', { a: 1 });
    const { cookie, sealed } = visitor;
    expect((await visitor.get('/view/regenerate')).json).toEqual({ session: { b: 2 } });
    expect(visitor.sealed).not.toBe(sealed);
    expect((await visitor.get('/plain/stored')).json).toEqual({ b: 2 });
    expect((await client().get('/plain/stored', { cookie })).json).toBeNull();
  });

  it('reads the session again by reload, and drops what was not saved', async () => {
    const { client } = await startPassport({
      handlers: {
        assign,
        reload: async (request, response, auth) => {
          request.session['a'] = 'unsaved';
          await (await auth.current(request))!.update({ b: 'by the service' });
          await promisify((done: (error?: unknown) => void) => request.session.reload(done))();
          response.json(request.session);
        },
      },
    });
    const visitor = client();
    await visitor.post('/view/assign', { a: 1 });
    expect((await visitor.get('/view/reload')).json).toEqual({ a: 1, b: 'by the service' });
  });

  it('has touch, resetMaxAge, id and cookie as express-session has them, and writes none of them', async () => {
    const { client } = await startPassport({
      handlers: {
        assign,
        use: (request, response) => {
          const { session } = request;
          expect(session.touch().resetMaxAge()).toBe(session);
          (session.cookie as { maxAge: number }).maxAge = 1;
          const { id, cookie } = session;
          response.json({ id, cookie, keys: Object.keys(session) });
        },
      },
    });
    const visitor = client();
    expect((await visitor.get('/view/use')).json).toMatchObject({
      cookie: { expires: null, httpOnly: true },
      keys: [],
    });
    await visitor.post('/view/assign', { a: 1 });
    const { json } = await visitor.get('/view/use');
    expect(json).toEqual({
      id: expect.any(String),
      cookie: { httpOnly: true, expires: expect.any(String), originalMaxAge: 3_600_000, maxAge: 3_600_000 },
      keys: ['a'],
    });
    expect((await visitor.get('/plain/stored')).json).toEqual({ a: 1 });
  });

  it.each<[string, (request: Asked) => void]>([
    ['null', (request) => void (request.session = null as never)],
    ['an object of its own', (request) => void (request.session = { a: 2 } as never)],
    ['nothing', (request) => void delete (request as { session?: unknown }).session],
  ])('writes nothing where the application has put %s in its place', async (_, put) => {
    const { client } = await startPassport({
      handlers: {
        assign,
        put: (request, response) => {
          request.session['a'] = 'changed';
          put(request);
          response.json({});
        },
      },
    });
    const visitor = client();
    await visitor.post('/view/assign', { a: 1 });
    await visitor.get('/view/put');
    expect((await visitor.get('/plain/stored')).json).toEqual({ a: 1 });
  });

  it('is the session of whoever logs in by the service meanwhile, with what the request has written', async () => {
    const { client } = await startPassport({
      handlers: {
        assign,
        enter: async (request, response, auth) => {
          request.session['b'] = 2;
          await auth.loginUser(request, PEOPLE['alice']!);
          response.json({});
        },
      },
    });
    const visitor = client();
    await visitor.post('/view/assign', { a: 1 });
    await visitor.get('/view/enter');
    expect((await visitor.get('/plain/stored')).json).toEqual({ a: 1, b: 2 });
    expect((await visitor.get('/view/user')).json).toMatchObject({ isAuthenticated: true });
  });

  it('is shown once where the middleware stands twice', async () => {
    const { SessionPassport } = await import('nestjs-session-auth/passport');
    class TwiceModule {
      configure(consumer: { apply(type: unknown): { forRoutes(path: string): void } }): void {
        consumer.apply(SessionPassport).forRoutes('view/*path');
      }
    }
    const { client } = await startPassport({ handlers: { assign }, module: { imports: [TwiceModule] } });
    const visitor = client();
    await visitor.post('/view/assign', { a: 1 });
    expect((await visitor.get('/view/data')).json).toEqual({ a: 1 });
  });

  it('works without PassportCompatModule', async () => {
    const { client } = await startPassport({ requestUser: false, handlers: { assign } });
    const alice = client();
    await alice.get('/plain/enter');
    await alice.post('/view/assign', { a: 1 });
    expect((await alice.get('/view/data')).json).toEqual({ a: 1 });
    expect((await alice.get('/view/user')).json).toMatchObject({ isAuthenticated: true, user: { id: 'alice' } });
  });
});
